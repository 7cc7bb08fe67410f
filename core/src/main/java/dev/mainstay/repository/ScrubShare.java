package dev.mainstay.repository;

import dev.mainstay.storage.StoredObject;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// The next share of a repository's content that is read, from where the last one ended, round and
/// round. Decides object by object in the order of a listing. For one use.
///
/// How much is due follows from how long ago the last share was read, so a day that is missed is
/// made up for. Clocks decide nothing else: which objects come next is told by their names.
public final class ScrubShare {
    private static final Duration USUAL = Duration.ofDays(1);

    private final ScrubPosition from;
    private final Instant now;
    private final long all;
    private final long due;
    private final long wrapped;
    private final long lacking;
    private long readBehind;
    private long readAhead;
    private String lastBehind = "";
    private String lastAhead = "";

    private ScrubShare(
            ScrubPosition from, Instant now, long all, long ahead, long due, long budget) {
        this.from = from;
        this.now = now;
        this.all = all;
        this.due = Math.min(due, budget);
        this.wrapped = this.due - ahead;
        this.lacking = due - this.due;
    }

    /// @param every in what time everything is to be read once
    /// @param budget of bytes; empty for whatever is due
    public static ScrubShare of(
            Repository repository, ScrubPosition from, Duration every, Optional<Long> budget) {
        long[] sums = new long[2];
        for (String prefix : new String[] {Names.PACKS, Names.WAL}) {
            Listing.forEach(
                    repository.store(),
                    prefix,
                    object -> {
                        if (isContent(object.name())) {
                            sums[0] += object.sizeBytes();
                            sums[1] += isAhead(from, object) ? object.sizeBytes() : 0;
                        }
                    });
        }
        Instant now = repository.ground().clock().instant();
        double share = (double) elapsed(from, now, every).toMillis() / every.toMillis();
        long due = Math.max(1, (long) Math.ceil(sums[0] * share));
        return new ScrubShare(from, now, sums[0], sums[1], due, budget.orElse(Long.MAX_VALUE));
    }

    /// Metadata is read anyhow.
    private static boolean isContent(String name) {
        return !name.startsWith(Names.PACKS + "metadata/");
    }

    private static boolean isAhead(ScrubPosition from, StoredObject object) {
        return object.name().compareTo(from.after()) > 0;
    }

    /// Since the last share; a clock that went back, or a first share, counts as a day.
    private static Duration elapsed(ScrubPosition from, Instant now, Duration every) {
        Duration since = from.written().map(then -> Duration.between(then, now)).orElse(USUAL);
        Duration sane = since.isNegative() ? USUAL : since;
        return sane.compareTo(every) > 0 ? every : sane;
    }

    /// Whether an object is read; to be asked once for each, in the order of names.
    public boolean takes(StoredObject object) {
        if (!isContent(object.name())) {
            return true;
        }
        if (isAhead(from, object)) {
            if (readAhead >= due) {
                return false;
            }
            readAhead += object.sizeBytes();
            lastAhead = object.name();
        } else {
            if (readBehind >= wrapped) {
                return false;
            }
            readBehind += object.sizeBytes();
            lastBehind = object.name();
        }
        return true;
    }

    /// Bytes that were chosen.
    public long bytes() {
        return readAhead + readBehind;
    }

    /// Bytes of all that is read in a round.
    public long allBytes() {
        return all;
    }

    /// Bytes that are due and beyond the budget; they are not made up for.
    public long lackingBytes() {
        return lacking;
    }

    /// Where the next one begins.
    public ScrubPosition end() {
        if (wrapped > 0) {
            return new ScrubPosition(lastBehind, Optional.of(now), now, Optional.of(from.begun()));
        }
        String after = lastAhead.isEmpty() ? from.after() : lastAhead;
        return new ScrubPosition(after, Optional.of(now), from.begun(), from.before());
    }
}
