package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FetchAhead;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// Makes the summaries of stored segments. A record may continue in the next segment, so a segment
/// can be summarised once the next one is stored too; whoever stores a segment summarises the one
/// before.
public final class SegmentSummaries {
    private final WalArchive archive;
    private final CatalogFiles catalogs;
    private final int lookBack;
    private Optional<WalSegment> seenUpTo = Optional.empty();
    private Optional<Held> last = Optional.empty();

    private record Held(WalSegment segment, byte[] content) {}

    /// @param lookBack how many summaries before the first one that is made may be read, to learn
    ///   what became of the catalogs since the newest backup
    public SegmentSummaries(WalArchive archive, int lookBack) {
        this.archive = archive;
        this.catalogs = new CatalogFiles(archive);
        this.lookBack = lookBack;
    }

    /// To be called after a segment was stored: summarises the one before it, unless that was done.
    public void stored(WalSegment segment, byte[] content) {
        stored(segment, content, Runnable::run);
    }

    private void stored(WalSegment segment, byte[] content, Consumer<Runnable> put) {
        if (segment.number() > 0) {
            WalSegment before =
                    new WalSegment(segment.timeline(), segment.number() - 1, segment.sizeBytes());
            if (!summarise(before, content, put)) {
                catalogs.parent(segment)
                        .ifPresent(parent -> summarise(before.onTimeline(parent), content, put));
            }
        }
        last = Optional.of(new Held(segment, content));
    }

    /// As [#stored], but what is wrong with an earlier segment or its summary does not keep this
    /// one from being stored.
    ///
    /// @return what is wrong
    /// @throws MainstayException if the store does not answer
    Optional<MainstayException> storedThough(WalSegment segment, byte[] content) {
        return storedThough(segment, content, Runnable::run);
    }

    /// @param put is given what puts the summary, to be run before the segment counts as dealt
    ///   with; it may throw as this does
    Optional<MainstayException> storedThough(
            WalSegment segment, byte[] content, Consumer<Runnable> put) {
        return though(() -> stored(segment, content, put));
    }

    /// What is wrong, unless the store does not answer.
    static Optional<MainstayException> though(Runnable work) {
        try {
            work.run();
            return Optional.empty();
        } catch (MainstayException damaged) {
            if (isPassing(damaged)) {
                throw damaged;
            }
            return Optional.of(damaged);
        }
    }

    /// Whether it may go well another time.
    static boolean isPassing(MainstayException failed) {
        return failed.code() == ErrorCode.STORE_UNAVAILABLE
                || failed.code() == ErrorCode.STORE_FULL
                || failed.code() == ErrorCode.STORE_REFUSED;
    }

    /// Whether it may still read this array, which it got from [#stored].
    @SuppressWarnings("ReferenceEquality") // it is about this array, not about what is in it
    boolean holds(byte[] content) {
        return last.filter(held -> held.content == content).isPresent();
    }

    /// Lets go of the segment it was told of last, which is then read again if it is needed.
    void forgetContent() {
        last = Optional.empty();
    }

    /// @return whether the segment is stored
    private boolean summarise(WalSegment segment, byte[] next, Consumer<Runnable> put) {
        try (FetchAhead<List<CommittedBackup>> backups = newestBackups()) {
            if (archive.getSummary(segment).isPresent()) {
                return true;
            }
            Optional<byte[]> content =
                    last.filter(held -> held.segment.equals(segment))
                            .map(Held::content)
                            .or(() -> archive.get(segment));
            content.ifPresent(bytes -> put.accept(summarise(segment, bytes, next, backups.next())));
            return content.isPresent();
        }
    }

    /// Asked for beside what is done first.
    private FetchAhead<List<CommittedBackup>> newestBackups() {
        ProtectedSource source = archive.source();
        return FetchAhead.small(
                source.repository().ground().beside(),
                List.of(source),
                ProtectedSource::newestBackups);
    }

    /// Summarises every stored segment from `from` on that has no summary and whose successor is
    /// stored.
    ///
    /// @return how many were made
    public int backfill(WalSegment from) {
        int[] made = new int[1];
        archive.segments(
                from,
                segment -> {
                    if (archive.getSummary(segment).isEmpty() && archive.has(segment.next())) {
                        byte[] content = archive.get(segment).orElseThrow();
                        byte[] next = archive.get(segment.next()).orElseThrow();
                        List<CommittedBackup> backups = archive.source().newestBackups();
                        summarise(segment, content, next, backups).run();
                        made[0]++;
                    }
                });
        return made[0];
    }

    /// Puts a new summary in the place of one that is damaged.
    ///
    /// @return false if the segment or the next one is not stored, or they tell too little
    public boolean remake(WalSegment segment) {
        Optional<byte[]> content = archive.get(segment);
        Optional<byte[]> next = archive.get(segment.next());
        if (content.isEmpty() || next.isEmpty()) {
            return false;
        }
        Optional<CatalogFiles.Known> known =
                catalogs.known(segment, archive.source().newestBackups());
        lookBack(segment, known);
        Optional<WalSummary> made =
                summary(segment, content.get(), next.get(), catalogs.at(known))
                        .filter(WalSummary::complete);
        made.ifPresent(summary -> archive.replaceSummary(segment, summary.encode()));
        return made.isPresent();
    }

    /// @return puts it, if the WAL is readable
    private Runnable summarise(
            WalSegment segment, byte[] content, byte[] next, List<CommittedBackup> backups) {
        Optional<CatalogFiles.Known> known = catalogs.known(segment, backups);
        lookBack(segment, known);
        Optional<WalSummary> made =
                summary(segment, content, next, catalogs.at(known)).filter(WalSummary::complete);
        made.ifPresent(catalogs::saw);
        seenUpTo = Optional.of(segment);
        Optional<byte[]> encoded = made.map(WalSummary::encode);
        return () -> encoded.ifPresent(bytes -> archive.putSummary(segment, bytes));
    }

    /// Reads the summaries since the backup, or since the last one made here.
    private void lookBack(WalSegment segment, Optional<CatalogFiles.Known> known) {
        if (known.isEmpty()) {
            return;
        }
        long first =
                seenUpTo.map(seen -> seen.number() + 1)
                        .orElse(Long.divideUnsigned(known.get().at().value(), segment.sizeBytes()));
        for (long number = Math.max(first, segment.number() - lookBack);
                number < segment.number();
                number++) {
            archive.getSummary(new WalSegment(segment.timeline(), number, segment.sizeBytes()))
                    .map(WalSummary::decode)
                    .ifPresent(catalogs::saw);
        }
    }

    /// The summary of a segment, given its own and the next one's bytes; empty if the WAL in them
    /// is not readable to us, which readers of summaries take as "read everything".
    private static Optional<WalSummary> summary(
            WalSegment segment, byte[] content, byte[] next, PgClassFiles catalogs) {
        try {
            WalLayout layout = WalLayout.read(content);
            WalSource both =
                    WalSource.segments(
                            segment.sizeBytes(),
                            number ->
                                    number == segment.number()
                                            ? Optional.of(content)
                                            : number == segment.number() + 1
                                                    ? Optional.of(next)
                                                    : Optional.empty());
            return Optional.of(WalSummariser.summarise(segment, both, layout, catalogs));
        } catch (MainstayException unreadable) {
            return Optional.empty();
        }
    }
}
