package dev.mainstay.server.metrics;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RecoveryWindow;
import dev.mainstay.engine.retention.RetentionDecision;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.server.view.KnownBackup;
import dev.mainstay.server.view.SourcePicture;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/// Reads what the repository has of one source. What is asked often is little: the names of the
/// records, and those of the log since the last look; all records are read when there is a new one,
/// and once an hour.
final class ArchiveLook {
    private static final Duration EVERYTHING = Duration.ofHours(1);

    /// How many segments before the last one are asked when they end.
    private static final int LOOK_BACK = 3;

    private final SourceSettings settings;
    private final PositionTrail trail;
    private List<KnownBackup> backups = List.of();
    private @Nullable BackupDetails newestDetails;
    private Optional<Instant> windowBegin = Optional.empty();
    private int kept;
    private int removable;
    private Instant everythingAt = Instant.MIN;
    private String tag = "";
    private Lsn reached = Lsn.NONE;
    private @Nullable WalFacts wal;

    ArchiveLook(SourceSettings settings, PositionTrail trail) {
        this.settings = settings;
        this.trail = trail;
    }

    /// @throws dev.mainstay.base.MainstayException if the repository cannot be read
    ///
    /// @param pictures tells the source as it is now, also by records that were just read
    ArchiveFacts look(
            Optional<ProtectedSource> found,
            Function<Optional<RecordChain>, SourcePicture> pictures,
            Instant now) {
        if (found.isEmpty()) {
            SourcePicture _ = pictures.apply(Optional.empty());
            return new ArchiveFacts(
                    now, List.of(), Optional.empty(), Optional.empty(), Optional.empty(), 0, 0);
        }
        ProtectedSource source = found.get();
        boolean due =
                everythingAt.equals(Instant.MIN) || !now.isBefore(everythingAt.plus(EVERYTHING));
        String before = due ? source.recordsTag() : ""; // what comes later is planned for later
        Optional<RecordChain> chain = due ? Optional.of(source.records()) : Optional.empty();
        SourcePicture picture = pictures.apply(chain);
        backups = picture.whole();
        if (due || !picture.tag().equals(tag)) {
            everything(source, chain.orElseGet(source::records), now);
            tag = due ? before : picture.tag();
            everythingAt = now;
        }
        BackupDetails details = newestDetails;
        if (details != null) {
            wal = wal(source, details, now);
        }
        return new ArchiveFacts(
                now,
                backups,
                Optional.ofNullable(details).map(BackupDetails::startLsn),
                windowBegin,
                Optional.ofNullable(wal),
                kept,
                removable);
    }

    private void everything(ProtectedSource source, RecordChain chain, Instant now) {
        Optional<BackupDetails> last = newest(source);
        newestDetails = last.orElse(null);
        reached = Lsn.NONE;
        ExpiryPlan plan = new SourceExpiry(source, settings.retention(), now).plan(chain);
        removable = plan.removed().size();
        kept = (int) plan.decisions().stream().filter(RetentionDecision::keep).count();
        windowBegin =
                last.flatMap(details -> window(plan, details)).map(window -> window.from().end());
    }

    private Optional<BackupDetails> newest(ProtectedSource source) {
        if (backups.isEmpty()) {
            return Optional.empty();
        }
        BackupId id = backups.getLast().id();
        return BackupDetails.find(
                source.newestBackups().stream()
                        .filter(each -> each.id().equals(id))
                        .findFirst()
                        .orElseGet(() -> source.backup(id)));
    }

    /// The window of the newest backup's cluster, on its youngest timeline.
    private static Optional<RecoveryWindow> window(ExpiryPlan plan, BackupDetails newest) {
        return plan.before().stream()
                .filter(each -> each.system().equals(newest.systemId()))
                .max(Comparator.comparing(RecoveryWindow::timeline));
    }

    private @Nullable WalFacts wal(ProtectedSource source, BackupDetails newest, Instant now) {
        WalArchive archive = source.wal(newest.systemId(), 1);
        Optional<TimelineHistory> history = history(archive, newest);
        if (history.isEmpty()) {
            return null;
        }
        int segmentBytes = newest.layout().walSegmentSize();
        Lsn from = reached.isNone() ? newest.startLsn() : reached.plus(-1);
        StoredLog log = StoredLog.read(archive, history.get(), segmentBytes, from);
        Lsn stored = log.endFrom(from).orElse(reached.isNone() ? from : reached);
        if (stored.isAfter(newest.stopLsn())) {
            reached = stored;
        }
        TimelineId timeline = history.get().timeline();
        Optional<WalFacts> same =
                Optional.ofNullable(wal)
                        .filter(before -> before.stored().equals(stored))
                        .filter(before -> before.timeline().equals(timeline));
        Instant covered = covered(archive, timeline, stored, segmentBytes);
        return new WalFacts(
                timeline,
                stored,
                same.map(WalFacts::movedAt).orElse(now),
                same.map(WalFacts::covered).filter(covered::isBefore).orElse(covered),
                trail.last()
                        .map(end -> OptionalLong.of(Math.max(0, end.minus(stored))))
                        .orElse(OptionalLong.empty()),
                log.gaps());
    }

    /// The youngest timeline that goes on from the backup.
    private static Optional<TimelineHistory> history(WalArchive archive, BackupDetails newest) {
        return archive.timelines().reversed().stream()
                .flatMap(timeline -> StoredLog.history(archive, timeline).stream())
                .filter(history -> history.isOnPath(newest.timeline(), newest.startLsn()))
                .findFirst();
    }

    /// By what the server said of its position, else by the commits that are in the last segments,
    /// else by the backup.
    private Instant covered(
            WalArchive archive, TimelineId timeline, Lsn stored, int segmentBytes) {
        Instant end = backups.getLast().end();
        Optional<Instant> held = trail.heldUntil(stored);
        if (held.isPresent()) {
            return held.get().isBefore(end) ? end : held.get();
        }
        long last = Long.divideUnsigned(stored.value() - 1, segmentBytes);
        for (long number = last; number > Math.max(0, last - LOOK_BACK); number--) {
            Optional<Instant> commit =
                    archive.getSummary(new WalSegment(timeline, number, segmentBytes))
                            .map(WalSummary::decode)
                            .flatMap(summary -> summary.commits().latestEnd());
            if (commit.isPresent()) {
                return commit.get().isBefore(end) ? end : commit.get();
            }
        }
        return end;
    }
}
