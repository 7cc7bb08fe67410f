package dev.mainstay.engine.proof;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.WalStretches;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/// The log of one cluster of a source: complete from its backups on along every timeline, histories
/// there, summaries saying what the log says.
final class WalCheck {
    /// Summaries of a timeline that are made again and compared.
    private static final int SAMPLE = 8;

    private final ProtectedSource source;
    private final WalArchive archive;
    private final List<RecoveryPath.Point> points;
    private final int segmentBytes;
    private final List<Defect> defects = new ArrayList<>();
    private final Map<TimelineId, BitSet> stored = new LinkedHashMap<>();
    private final List<RecoveryPath> paths = new ArrayList<>();
    private final Map<String, Long> gaps = new LinkedHashMap<>();
    private long summariesCompared;

    /// @param points the cluster's backups; at least one
    WalCheck(ProtectedSource source, SystemId system, List<RecoveryPath.Point> points) {
        this.source = source;
        this.archive = source.wal(system, 3);
        this.points = points;
        this.segmentBytes = points.getLast().details().layout().walSegmentSize();
    }

    void run(long seed) {
        Set<TimelineId> timelines = new TreeSet<>(archive.timelines());
        points.forEach(point -> timelines.add(point.details().timeline()));
        timelines.forEach(this::list);
        timelines.forEach(this::path);
        Set<String> told = new TreeSet<>();
        WalStretches freed =
                source.records().freedWal(); // after the listing: it tells of all holes
        for (RecoveryPath path : paths) {
            path.free(stored, segment -> freed.touches(archive.system(), segment));
            for (List<WalSegment> run : path.missing(stored)) {
                String object = archive.objectName(run.getFirst());
                if (told.add(object)) {
                    defects.add(gap(object, run));
                    gaps.put(object, run.getLast().number());
                }
            }
        }
        Random random = new Random(seed);
        timelines.forEach(timeline -> summaries(timeline, random));
    }

    private static Defect gap(String object, List<WalSegment> run) {
        long count = run.getLast().number() - run.getFirst().number() + 1;
        String what =
                count == 1
                        ? "WAL segment " + run.getFirst() + " is missing"
                        : count
                                + " WAL segments are missing, from "
                                + run.getFirst()
                                + " to "
                                + run.getLast();
        return new Defect(object, ErrorCode.WAL_GAP, what, Set.of());
    }

    private void list(TimelineId timeline) {
        BitSet numbers = new BitSet();
        archive.segments(
                new WalSegment(timeline, 0, segmentBytes),
                segment -> numbers.set(Math.toIntExact(segment.number())));
        stored.put(timeline, numbers);
    }

    private void path(TimelineId timeline) {
        history(timeline)
                .ifPresent(
                        history -> {
                            List<RecoveryPath.Point> on =
                                    points.stream()
                                            .filter(point -> isOn(history, point.details()))
                                            .toList();
                            BitSet numbers = stored.getOrDefault(timeline, new BitSet());
                            paths.add(
                                    new RecoveryPath(
                                            history, on, segmentBytes, numbers.length() - 1L));
                        });
    }

    private static boolean isOn(TimelineHistory history, BackupDetails details) {
        return history.isOnPath(details.timeline(), details.stopLsn());
    }

    /// A timeline's history. Without its file a timeline that is older than every backup, or the
    /// first, is taken to have no ancestors.
    private Optional<TimelineHistory> history(TimelineId timeline) {
        String file = timeline.historyFileName();
        try {
            Optional<byte[]> content = archive.getFile(file);
            if (content.isPresent()) {
                return Optional.of(
                        TimelineHistory.parse(
                                timeline, new String(content.get(), StandardCharsets.UTF_8)));
            }
        } catch (MainstayException damaged) {
            if (damaged.code() == ErrorCode.STORE_UNAVAILABLE) {
                throw damaged;
            }
            defects.add(
                    new Defect(
                            archive.objectName(file),
                            damaged.code(),
                            String.valueOf(damaged.getMessage()),
                            Set.of()));
            return Optional.empty();
        }
        boolean needed =
                points.stream()
                        .anyMatch(point -> point.details().timeline().compareTo(timeline) < 0);
        if (needed) {
            defects.add(
                    new Defect(
                            archive.objectName(file),
                            ErrorCode.WAL_ABSENT,
                            "the history of timeline "
                                    + timeline
                                    + " is missing, so backups of older timelines cannot be"
                                    + " recovered along it",
                            Set.of()));
        }
        return Optional.of(TimelineHistory.first(timeline));
    }

    private void summaries(TimelineId timeline, Random random) {
        List<WalSegment> sample = new ArrayList<>();
        long[] seen = {0};
        archive.summaries(
                timeline,
                segmentBytes,
                segment -> {
                    seen[0]++;
                    if (sample.size() < SAMPLE) {
                        sample.add(segment);
                    } else if (random.nextDouble() * seen[0] < SAMPLE) {
                        sample.set(random.nextInt(SAMPLE), segment);
                    }
                });
        Collections.sort(sample);
        sample.forEach(this::compare);
    }

    private void compare(WalSegment segment) {
        String name = archive.summaryName(segment);
        try {
            Optional<byte[]> bytes = archive.getSummary(segment);
            Optional<byte[]> wal = archive.get(segment);
            if (bytes.isEmpty() || wal.isEmpty()) {
                return; // the segment was expired, or nobody has summarised it yet
            }
            WalSummary there = WalSummary.decode(bytes.get());
            WalSource log =
                    WalSource.segments(
                            segmentBytes,
                            number ->
                                    archive.get(
                                            new WalSegment(
                                                    segment.timeline(), number, segmentBytes)));
            WalSummary again =
                    WalSummariser.summarise(
                            segment, log, WalLayout.read(wal.get()), PgClassFiles.initial());
            if (there.complete() && !again.complete()) {
                return; // its last record ends in a segment that is not here
            }
            summariesCompared++;
            if (!WithoutCatalogRows.of(there).equals(WithoutCatalogRows.of(again))) {
                defects.add(
                        new Defect(
                                name,
                                ErrorCode.OBJECT_DAMAGED,
                                "the summary of WAL segment "
                                        + segment
                                        + " does not say what the segment says",
                                Set.of()));
            }
        } catch (MainstayException damaged) {
            if (damaged.code() == ErrorCode.STORE_UNAVAILABLE) {
                throw damaged;
            }
            defects.add(
                    new Defect(
                            name, damaged.code(), String.valueOf(damaged.getMessage()), Set.of()));
        }
    }

    /// A summary but for the events that depend on where catalogs lay when it was made, which the
    /// segment alone does not tell.
    private record WithoutCatalogRows(WalSummary rest, List<WalSummary.Noted> noted) {
        static WithoutCatalogRows of(WalSummary summary) {
            List<WalSummary.Noted> noted =
                    summary.noted().stream()
                            .filter(each -> !(each.event() instanceof WalEvent.CatalogRowChanged))
                            .toList();
            return new WithoutCatalogRows(
                    new WalSummary(
                            summary.segment(),
                            summary.format(),
                            summary.begin(),
                            summary.end(),
                            summary.complete(),
                            summary.commits(),
                            summary.minutes(),
                            summary.readWhole(),
                            List.of(),
                            summary.changed()),
                    noted);
        }
    }

    ProtectedSource source() {
        return source;
    }

    SystemId system() {
        return archive.system();
    }

    String objectName(WalSegment segment) {
        return archive.objectName(segment);
    }

    /// Number of the last segment of the gap that begins with this object.
    long endOfGap(String object, long first) {
        return gaps.getOrDefault(object, first);
    }

    int segmentBytes() {
        return segmentBytes;
    }

    List<Defect> defects() {
        return defects;
    }

    List<RecoveryPath> paths() {
        return paths;
    }

    long summariesCompared() {
        return summariesCompared;
    }
}
