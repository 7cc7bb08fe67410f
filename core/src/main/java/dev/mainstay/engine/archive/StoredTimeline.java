package dev.mainstay.engine.archive;

import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.RelationNames;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.WalEnd;
import dev.mainstay.postgres.wal.WalFormat;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalPending;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalRecord;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.postgres.wal.WalTimeline;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What the stored WAL says happened, read from the WAL itself up to its very end, the parts of an
/// unfinished segment included.
public final class StoredTimeline {
    /// The events, and the summaries they come from.
    public record Story(List<TimelineEvent> events, List<WalSummary> summaries) {}

    private StoredTimeline() {}

    /// Reads from the start of a segment on to the end of what is stored on its timeline.
    ///
    /// @param from a backup's first segment, so that every transaction of interest is seen whole
    public static Story read(WalArchive archive, WalSegment from, RelationNames names) {
        WalSource stored =
                WalSource.segments(
                        from.sizeBytes(),
                        number -> {
                            WalSegment segment =
                                    new WalSegment(from.timeline(), number, from.sizeBytes());
                            return archive.get(segment)
                                    .or(
                                            () ->
                                                    Optional.of(archive.parts(segment))
                                                            .filter(parts -> parts.length > 0));
                        });
        WalReader reader = WalReader.seek(stored, WalLayout.of(from.sizeBytes()), from.start());
        WalSummariser summariser = WalSummariser.begin(from, PgClassFiles.initial());
        List<WalSummary> summaries = new ArrayList<>();
        Optional<WalFormat> format = Optional.empty();
        while (true) {
            switch (reader.next()) {
                case WalRecord record -> {
                    format = Optional.of(record.format());
                    summaries.addAll(summariser.accept(record));
                }
                case WalEnd end -> {
                    format.ifPresent(known -> summaries.add(summariser.cut(end.lsn(), known)));
                    return story(summaries, names);
                }
                case WalPending pending -> {
                    format.ifPresent(
                            known -> summaries.add(summariser.cut(pending.record(), known)));
                    return story(summaries, names);
                }
            }
        }
    }

    private static Story story(List<WalSummary> summaries, RelationNames names) {
        WalTimeline timeline = new WalTimeline(names);
        summaries.forEach(timeline::accept);
        return new Story(timeline.events(), List.copyOf(summaries));
    }
}
