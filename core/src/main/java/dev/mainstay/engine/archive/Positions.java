package dev.mainstay.engine.archive;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.NavigableMap;
import java.util.TreeMap;

/// The positions of a receiver, and how old what is missing is. Thread-safe.
final class Positions {
    /// How finely lag is measured.
    private static final Duration GRAIN = Duration.ofMillis(20);

    private record Sample(Lsn end, Instant at) {}

    private final InstantSource clock;
    private final Deque<Sample> unspooled = new ArrayDeque<>();
    private final Deque<Sample> unstored = new ArrayDeque<>();
    private TimelineId timeline;
    private Lsn server = Lsn.NONE;
    private Lsn spooled = Lsn.NONE;
    private Lsn stored = Lsn.NONE;

    /// What is stored but does not follow on [#stored] yet: ends by starts.
    private final NavigableMap<Lsn, Lsn> ahead = new TreeMap<>();

    Positions(InstantSource clock, TimelineId timeline) {
        this.clock = clock;
        this.timeline = timeline;
    }

    synchronized void begin(TimelineId newTimeline, Lsn from) {
        timeline = newTimeline;
        spooled = from;
    }

    /// What lies before the slot's position was stored by an earlier process, or is nobody's
    /// concern. The position itself, not where the stream begins: segments between the two may
    /// still wait in the spool.
    synchronized void storedBefore(Lsn slot) {
        if (stored.isNone()) {
            stored = slot;
            absorb();
        }
    }

    /// WAL was lost, so that nothing follows on what is stored.
    synchronized void gap() {
        stored = Lsn.NONE;
        ahead.clear();
    }

    /// The server left its timeline here; what was received of it beyond is no part of what
    /// follows.
    synchronized void parted(Lsn at) {
        if (stored.isAfter(at)) {
            stored = at;
        }
        ahead.replaceAll((_, end) -> end.isAfter(at) ? at : end);
    }

    synchronized void server(Lsn end) {
        if (end.isAfter(server)) {
            server = end;
            Instant now = clock.instant();
            if (end.isAfter(spooled)) {
                sample(unspooled, end, now);
            }
            if (end.isAfter(stored)) {
                sample(unstored, end, now);
            }
        }
    }

    private static void sample(Deque<Sample> samples, Lsn end, Instant now) {
        Sample last = samples.peekLast();
        if (last == null || Duration.between(last.at, now).compareTo(GRAIN) > 0) {
            samples.add(new Sample(end, now));
        }
    }

    synchronized void spooled(Lsn end) {
        spooled = end;
        drop(unspooled, end);
    }

    /// These bytes are in the repository. They count once all before them are there too: the slot
    /// follows, and the server removes what lies behind it.
    synchronized void stored(Lsn start, Lsn end) {
        ahead.merge(start, end, (one, other) -> one.isAfter(other) ? one : other);
        if (!stored.isNone()) {
            absorb();
        }
    }

    private void absorb() {
        while (!ahead.isEmpty() && !ahead.firstKey().isAfter(stored)) {
            Lsn end = ahead.pollFirstEntry().getValue();
            if (end.isAfter(stored)) {
                stored = end;
            }
        }
        drop(unstored, stored);
    }

    private static void drop(Deque<Sample> samples, Lsn reached) {
        while (!samples.isEmpty() && !samples.getFirst().end.isAfter(reached)) {
            samples.removeFirst();
        }
    }

    /// End of what is stored without a gap; none before that is known.
    synchronized Lsn stored() {
        return stored;
    }

    synchronized Lsn spooled() {
        return spooled;
    }

    /// A new stream begins at the start of a segment, before what was spooled and stored of it:
    /// what is in the repository need not be on this disk as well to be safe.
    synchronized ReceiverStatus status(long waitingBytes) {
        Lsn safe = stored.isAfter(spooled) ? stored : spooled;
        return new ReceiverStatus(
                timeline,
                server,
                safe,
                stored,
                lag(unspooled, safe),
                lag(unstored, stored),
                ByteSize.of(waitingBytes));
    }

    private Duration lag(Deque<Sample> samples, Lsn reached) {
        return samples.stream()
                .filter(sample -> sample.end.isAfter(reached))
                .findFirst()
                .map(oldest -> Duration.between(oldest.at, clock.instant()))
                .orElse(Duration.ZERO);
    }
}
