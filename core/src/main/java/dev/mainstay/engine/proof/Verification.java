package dev.mainstay.engine.proof;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.WalArchive;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Proves that a repository holds what it should: everything readable, complete and continuous, or
/// else what is wrong and what that costs.
///
/// Nothing is written. Writers may be at work meanwhile.
public final class Verification {
    private final Repository repository;
    private final RepositoryCheck.Options options;
    private final Progress progress;
    private final List<Defect> more = new ArrayList<>();
    private final List<WalCheck> logs = new ArrayList<>();
    private long segments;

    public Verification(Repository repository, RepositoryCheck.Options options, Progress progress) {
        this.repository = repository;
        this.options = options;
        this.progress = progress;
    }

    /// @throws MainstayException where the store cannot be asked, or the source is unknown
    public VerifyReport run() {
        progress.begin("verifying " + subject(), 0);
        RepositoryCheck.Result contents =
                new RepositoryCheck(repository, options, progress::advance).run();
        progress.end();
        progress.begin("following the WAL", 0);
        if (options.backup().isPresent()) {
            contents.backups().forEach(this::logOfOne);
        } else {
            contents.backups().forEach(this::log);
            logs.forEach(log -> log.run(options.seed()));
        }
        progress.end();
        return report(contents);
    }

    private String subject() {
        return options.backup()
                .map(id -> "backup " + id)
                .or(options::source)
                .orElse("the repository");
    }

    private void log(ProtectedSource source, List<CommittedBackup> backups) {
        Map<SystemId, List<RecoveryPath.Point>> points = new LinkedHashMap<>();
        for (CommittedBackup backup : backups) {
            try {
                BackupDetails details = BackupDetails.read(backup.details());
                points.computeIfAbsent(details.systemId(), _ -> new ArrayList<>())
                        .add(new RecoveryPath.Point(backup.id(), details));
            } catch (MainstayException | IllegalArgumentException broken) {
                more.add(notUnderstood(source, backup, broken));
            }
        }
        points.forEach((system, on) -> logs.add(new WalCheck(source, system, on)));
    }

    private static Defect notUnderstood(
            ProtectedSource source, CommittedBackup backup, RuntimeException broken) {
        return new Defect(
                "slots/" + source.id() + "/" + backup.id(),
                ErrorCode.OBJECT_DAMAGED,
                "what the commit record says of the cluster cannot be understood: "
                        + broken.getMessage(),
                Set.of(backup.id()));
    }

    /// Reads the log that a backup needs to become consistent.
    private void logOfOne(ProtectedSource source, List<CommittedBackup> only) {
        for (CommittedBackup backup : only) {
            BackupDetails details;
            try {
                details = BackupDetails.read(backup.details());
            } catch (MainstayException | IllegalArgumentException broken) {
                more.add(notUnderstood(source, backup, broken));
                continue;
            }
            WalArchive archive = source.wal(details.systemId(), 1);
            long last = details.stopSegment().number();
            for (long number = details.startSegment().number(); number <= last; number++) {
                WalSegment segment =
                        new WalSegment(
                                details.timeline(), number, details.layout().walSegmentSize());
                demandNotInterrupted();
                readable(archive, segment)
                        .ifPresent(
                                why ->
                                        more.add(
                                                new Defect(
                                                        archive.objectName(segment),
                                                        why.code(),
                                                        String.valueOf(why.getMessage()),
                                                        Set.of(backup.id()))));
                segments++;
                progress.advance(segment.sizeBytes());
            }
        }
    }

    private static void demandNotInterrupted() {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "the verification was interrupted");
        }
    }

    /// @return what is wrong with a segment
    private static Optional<MainstayException> readable(WalArchive archive, WalSegment segment) {
        try {
            return archive.get(segment).isPresent()
                    ? Optional.empty()
                    : Optional.of(
                            new MainstayException(
                                    ErrorCode.WAL_GAP, "WAL segment " + segment + " is missing"));
        } catch (MainstayException broken) {
            if (broken.code() == ErrorCode.STORE_UNAVAILABLE
                    || broken.code() == ErrorCode.INTERRUPTED) {
                throw broken;
            }
            return Optional.of(broken);
        }
    }

    /// What a commit says of the cluster, if it can be understood.
    static Optional<BackupDetails> details(CommittedBackup backup) {
        try {
            return Optional.of(BackupDetails.read(backup.details()));
        } catch (MainstayException | IllegalArgumentException broken) {
            return Optional.empty();
        }
    }

    private VerifyReport report(RepositoryCheck.Result contents) {
        Set<Defect> all = new LinkedHashSet<>();
        Set<String> objects = new LinkedHashSet<>();
        contents.defects().forEach(defect -> take(defect, all, objects));
        more.forEach(defect -> take(defect, all, objects));
        logs.forEach(log -> log.defects().forEach(defect -> take(defect, all, objects)));
        List<VerifyReport.Finding> findings = new ArrayList<>();
        for (Defect found : all) {
            Defect defect = withBackups(found);
            findings.add(VerifyReport.Finding.of(defect, lost(defect)));
        }
        return new VerifyReport(
                findings,
                findings.size() + contents.defectCount() - contents.defects().size(),
                contents,
                contents.backups().values().stream().mapToLong(List::size).sum(),
                segments
                        + logs.stream()
                                .flatMap(log -> log.paths().stream())
                                .mapToLong(RecoveryPath::length)
                                .sum(),
                logs.stream().mapToLong(WalCheck::summariesCompared).sum());
    }

    /// One object is told once, by who looked at it first.
    private static void take(Defect defect, Set<Defect> all, Set<String> objects) {
        if (objects.add(defect.object())) {
            all.add(defect);
        }
    }

    /// A backup needs the log that was written while it was taken.
    private Defect withBackups(Defect defect) {
        Set<BackupId> backups = new LinkedHashSet<>(defect.backups());
        for (WalCheck log : logs) {
            long[] run = segments(defect, log);
            for (RecoveryPath path : log.paths()) {
                if (run[0] <= run[1] && isOn(path, defect, log, run[0])) {
                    backups.addAll(path.needing(run[0], run[1]));
                }
            }
        }
        return new Defect(defect.object(), defect.code(), defect.what(), backups);
    }

    private List<VerifyReport.Lost> lost(Defect defect) {
        Set<VerifyReport.Lost> lost = new LinkedHashSet<>();
        for (WalCheck log : logs) {
            long[] run = segments(defect, log);
            for (RecoveryPath path : log.paths()) {
                if (run[0] <= run[1] && !isOn(path, defect, log, run[0])) {
                    continue;
                }
                Set<BackupId> without = defect.backups();
                for (RecoveryPath.Span span : path.lost(without, run[0], run[1])) {
                    lost.add(
                            new VerifyReport.Lost(
                                    log.source().name(), path.timeline(), span.from(), span.to()));
                }
            }
        }
        return List.copyOf(lost);
    }

    private static boolean isOn(RecoveryPath path, Defect defect, WalCheck log, long number) {
        return defect.object().equals(log.objectName(path.segment(number)));
    }

    /// Numbers of the first and last segment that a defect takes from a log; none if they fall.
    private static long[] segments(Defect defect, WalCheck log) {
        String[] words = defect.object().split("/", -1);
        boolean wal =
                words.length == 4
                        && words[0].equals("wal")
                        && words[1].equals(log.system().toString())
                        && WalSegment.isName(words[3]);
        if (!wal) {
            return new long[] {1, 0};
        }
        long first = WalSegment.parse(words[3], log.segmentBytes()).number();
        return new long[] {first, log.endOfGap(defect.object(), first)};
    }
}
