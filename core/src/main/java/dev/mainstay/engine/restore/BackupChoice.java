package dev.mainstay.engine.restore;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.restore.RestorePlan.Replay;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Picks the newest backup from which the target is proved to be reached. *Newest* is by the record
/// chain; ancestry by timeline histories; recorded times only save the proof where they rule a
/// backup out.
final class BackupChoice {
    /// A backup, and what of the log is replayed upon it.
    ///
    /// @param passedOver newer backups that do not lead to the target, and why
    record Chosen(
            CommittedBackup backup,
            BackupDetails details,
            WalCoverage coverage,
            Replay replay,
            List<String> passedOver) {}

    private static final int REASONS = 5;

    /// What a candidate comes to: a way to the target, or why there is none.
    private sealed interface Verdict {
        record Way(WalCoverage coverage, Replay replay) implements Verdict {}

        record None(String reason) implements Verdict {}
    }

    private record Route(SystemId system, TimelineHistory history) {}

    private final ProtectedSource source;
    private final Optional<BackupId> wanted;
    private final RestoreTarget target;
    private final TimelineChoice timeline;
    private final boolean standby;
    private final Map<SystemId, Histories> histories = new HashMap<>();
    private final Map<Route, TargetProof> proofs = new HashMap<>();
    private Optional<String> nearest = Optional.empty();

    BackupChoice(
            ProtectedSource source, Optional<BackupId> wanted, RestoreRequest.Recovery recovery) {
        this.source = source;
        this.wanted = wanted;
        this.target = recovery.target();
        this.timeline = recovery.timeline();
        this.standby = recovery.standby();
    }

    /// @throws MainstayException RESTORE_NO_BACKUP, BACKUP_UNKNOWN, or RESTORE_TARGET_UNREACHABLE
    ///   with what can be reached
    Chosen choose() {
        RecordChain chain = source.records();
        List<CommittedBackup> candidates =
                wanted.map(source::backup).map(List::of).orElseGet(chain::backups).reversed();
        List<String> reasons = new ArrayList<>();
        if (wanted.isEmpty()) {
            chain.damagedBackups().forEach(each -> reasons.add(each.toString()));
        }
        if (candidates.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.RESTORE_NO_BACKUP,
                    "source "
                            + source.name()
                            + " has no backup"
                            + (reasons.isEmpty()
                                    ? ""
                                    : " that can be read: " + String.join("; ", reasons)));
        }
        for (CommittedBackup backup : candidates) {
            BackupDetails details;
            try {
                details = BackupDetails.read(backup.details());
            } catch (MainstayException damaged) {
                reasons.add("backup " + backup.id() + ": " + damaged.getMessage());
                continue;
            }
            switch (judge(details)) {
                case Verdict.Way(WalCoverage coverage, Replay replay) -> {
                    return new Chosen(backup, details, coverage, replay, List.copyOf(reasons));
                }
                case Verdict.None(String reason) ->
                        reasons.add("backup " + backup.id() + ": " + reason);
            }
        }
        throw unreachable(reasons);
    }

    private Verdict judge(BackupDetails details) {
        Optional<String> tooLate = endsAfterTarget(details);
        if (tooLate.isPresent()) {
            return new Verdict.None(tooLate.get());
        }
        Histories known =
                histories.computeIfAbsent(
                        details.systemId(), system -> new Histories(source.wal(system, 1)));
        Histories.Path path = known.choose(timeline, details);
        TimelineHistory history = path.history();
        if (!history.isOnPath(details.timeline(), details.stopLsn())) {
            return new Verdict.None(
                    "timeline "
                            + details.timeline()
                            + ", on which it ends at "
                            + details.stopLsn()
                            + ", does not lead to timeline "
                            + history.timeline());
        }
        WalCoverage coverage =
                new WalCoverage(source.wal(details.systemId(), 1), history, details.startSegment());
        if (coverage.end().isBefore(details.stopLsn())) {
            return new Verdict.None(
                    "WAL "
                            + (coverage.endsInFreed()
                                    ? "was freed by retention from "
                                    : "is missing from ")
                            + coverage.segment(coverage.gap())
                            + " on, and it is consistent only at "
                            + details.stopLsn());
        }
        return replay(details, path, coverage);
    }

    private Optional<String> endsAfterTarget(BackupDetails details) {
        if (!(target instanceof RestoreTarget.At(WalTarget point))) {
            return Optional.empty();
        }
        return switch (point) {
            case WalTarget.AtTime(Instant time, _) when details.stopTime().isAfter(time) ->
                    Optional.of("it ended at " + details.stopTime() + ", after the target");
            case WalTarget.AtLsn(Lsn lsn, _) when lsn.isBefore(details.stopLsn()) ->
                    Optional.of("it ended at " + details.stopLsn() + ", after the target");
            case WalTarget.AtTime _, WalTarget.AtLsn _, WalTarget.AtXid _, WalTarget.AtName _ ->
                    Optional.empty();
        };
    }

    private Verdict replay(BackupDetails details, Histories.Path path, WalCoverage coverage) {
        String setting = setting(path, details);
        return switch (target) {
            case RestoreTarget.Immediate _ ->
                    way(
                            coverage,
                            details,
                            setting,
                            details.stopSegment().number(),
                            details.stopLsn(),
                            Optional.of(details.stopTime()));
            case RestoreTarget.Latest _ ->
                    coverage.endsInParent() || coverage.endsInFreed()
                            ? new Verdict.None(noLatest(coverage))
                            : way(
                                    coverage,
                                    details,
                                    setting,
                                    coverage.last(),
                                    coverage.end(),
                                    TargetProof.lastCommit(coverage, details));
            case RestoreTarget.At(WalTarget point) -> {
                Optional<TargetProof.Found> found =
                        proofs.computeIfAbsent(
                                        new Route(details.systemId(), coverage.history()),
                                        _ -> new TargetProof(point))
                                .find(coverage, details);
                if (found.isEmpty()) {
                    remember(coverage, details);
                    yield new Verdict.None(
                            coverage.endsInFreed()
                                    ? "it leads to "
                                            + coverage.end()
                                            + ", and WAL from there on was freed by retention"
                                    : "stored WAL ends at "
                                            + coverage.end()
                                            + " without reaching it");
                }
                Lsn stop = found.get().reached().stop();
                yield stop.isBefore(details.stopLsn())
                        ? new Verdict.None("it is consistent only after the target")
                        : way(
                                coverage,
                                details,
                                setting,
                                found.get().segment(),
                                stop,
                                found.get().reached().time());
            }
        };
    }

    /// A server would take what was freed for the end of the log.
    private static String noLatest(WalCoverage coverage) {
        return coverage.endsInFreed()
                ? "it leads to "
                        + coverage.end()
                        + " only, since WAL from there on was freed by retention"
                : "nothing is stored of timeline "
                        + coverage.history().timeline()
                        + " from where it began";
    }

    private String setting(Histories.Path path, BackupDetails details) {
        if (standby && timeline instanceof TimelineChoice.Latest) {
            return "latest";
        }
        boolean own = path.history().timeline().equals(details.timeline());
        return own && !path.known() ? "current" : path.history().timeline().toString();
    }

    private static Verdict way(
            WalCoverage coverage,
            BackupDetails details,
            String setting,
            long last,
            Lsn end,
            Optional<Instant> time) {
        return new Verdict.Way(
                coverage,
                new Replay(
                        setting,
                        coverage.segment(details.startSegment().number()),
                        coverage.segment(Math.max(last, details.stopSegment().number())),
                        end,
                        time));
    }

    private void remember(WalCoverage coverage, BackupDetails details) {
        if (nearest.isEmpty()) {
            nearest =
                    Optional.of(
                            "the latest that can be reached is "
                                    + coverage.end()
                                    + TargetProof.lastCommit(coverage, details)
                                            .map(
                                                    time ->
                                                            ", whose last transaction ended at "
                                                                    + time)
                                            .orElse(""));
        }
    }

    private MainstayException unreachable(List<String> reasons) {
        List<String> told = new ArrayList<>(reasons.subList(0, Math.min(REASONS, reasons.size())));
        if (reasons.size() > REASONS) {
            told.add((reasons.size() - REASONS) + " older backups neither");
        }
        nearest.ifPresent(told::add);
        oldest().ifPresent(told::add);
        return new MainstayException(
                ErrorCode.RESTORE_TARGET_UNREACHABLE,
                target + " cannot be reached: " + String.join("; ", told),
                "choose a target in the recovery window, or --target latest; 'mainstay wal timeline"
                        + " "
                        + source.name()
                        + "' shows what happened when",
                null);
    }

    private Optional<String> oldest() {
        return source.backups().stream()
                .flatMap(backup -> BackupDetails.find(backup).stream())
                .findFirst()
                .map(
                        details ->
                                "the earliest is "
                                        + details.stopLsn()
                                        + " at "
                                        + details.stopTime());
    }
}
