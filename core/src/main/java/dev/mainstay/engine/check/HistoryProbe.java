package dev.mainstay.engine.check;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.SystemIdentity;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.DamagedRecord;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.WalArchive;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What could be restored right now: how old the newest backup is, and whether the log since is
/// stored without a gap. Names are listed, content is left to `mainstay verify`.
final class HistoryProbe {
    private static final String BACKUP = "backup";
    private static final String WAL = "wal-since-backup";
    private static final Duration OLD = Duration.ofDays(8);
    private static final int SEGMENTS_BEHIND = 4;

    private final String name;
    private final Instant now;

    /// @param name of the source, for the commands to run
    HistoryProbe(String name, Instant now) {
        this.name = name;
        this.now = now;
    }

    /// @param live what the server says of itself, if it could be asked
    List<Finding> look(Optional<ProtectedSource> source, Optional<SystemIdentity> live) {
        List<Finding> findings = new ArrayList<>();
        Optional<RecordChain> chain = source.map(ProtectedSource::records);
        for (DamagedRecord damaged : chain.map(RecordChain::damaged).orElseGet(List::of)) {
            findings.add(Finding.error("records", damaged.toString(), damaged.hint()));
        }
        List<CommittedBackup> backups =
                chain.map(RecordChain::backups).orElseGet(List::of).reversed();
        if (backups.isEmpty()) {
            findings.add(
                    Finding.warning(
                            BACKUP,
                            "there is no backup yet: nothing could be restored",
                            "run: mainstay backup " + name));
            return findings;
        }
        CommittedBackup newest = backups.getFirst();
        BackupDetails details = BackupDetails.read(newest.details());
        findings.add(backup(newest, details));
        if (live.filter(one -> !one.systemId().equals(details.systemId())).isPresent()) {
            findings.add(
                    Finding.error(
                            BACKUP,
                            "the newest backup is of system "
                                    + details.systemId()
                                    + ", the server is system "
                                    + live.get().systemId(),
                            "correct the url, or run: mainstay backup " + name + " --type full"));
            return findings;
        }
        findings.addAll(wal(source.orElseThrow().wal(details.systemId(), 1), details, live));
        return findings;
    }

    private Finding backup(CommittedBackup newest, BackupDetails details) {
        Duration age = Duration.between(newest.end(), now);
        String text =
                "the newest backup, "
                        + newest.id().text()
                        + " ("
                        + newest.type()
                        + "), is "
                        + age(age)
                        + " old";
        if (details.judgement().damagedPageCount() > 0) {
            return Finding.warning(
                    BACKUP,
                    text
                            + " and holds "
                            + details.judgement().damagedPageCount()
                            + " damaged pages",
                    "see: mainstay backups show " + newest.id().text());
        }
        return age.compareTo(OLD) > 0
                ? Finding.warning(
                        BACKUP,
                        text + ": a restore would replay all WAL since",
                        "run: mainstay backup " + name)
                : Finding.ok(BACKUP, text);
    }

    static String age(Duration age) {
        if (age.compareTo(Duration.ofHours(2)) < 0) {
            long minutes = Math.max(0, age.toMinutes());
            return minutes == 1 ? "a minute" : minutes + " minutes";
        }
        return age.compareTo(Duration.ofDays(3)) < 0
                ? age.toHours() + " hours"
                : age.toDays() + " days";
    }

    private List<Finding> wal(
            WalArchive archive, BackupDetails details, Optional<SystemIdentity> live) {
        var timeline =
                live.map(SystemIdentity::timeline)
                        .or(() -> archive.timelines().stream().reduce((_, last) -> last))
                        .orElse(details.timeline());
        Optional<TimelineHistory> history = StoredLog.history(archive, timeline);
        if (history.isEmpty()) {
            return List.of(
                    Finding.error(
                            WAL,
                            timeline.historyFileName()
                                    + " is not stored: the server's timeline "
                                    + timeline
                                    + " cannot be restored",
                            "is 'mainstay server' or 'mainstay wal receive "
                                    + name
                                    + "' running, or archive_command working?"));
        }
        if (!history.get().isOnPath(details.timeline(), details.stopLsn())) {
            return List.of(
                    Finding.error(
                            WAL,
                            "the newest backup does not lie on the way to timeline " + timeline,
                            "run: mainstay backup " + name));
        }
        StoredLog log =
                StoredLog.read(
                        archive,
                        history.get(),
                        details.layout().walSegmentSize(),
                        details.startLsn());
        return continuity(log, details, live);
    }

    private List<Finding> continuity(
            StoredLog log, BackupDetails details, Optional<SystemIdentity> live) {
        Lsn end = log.endFrom(details.startLsn()).orElse(details.startLsn());
        Lsn last = log.end().orElse(end);
        if (end.isBefore(details.stopLsn())) {
            return List.of(
                    Finding.error(
                            WAL,
                            "the newest backup cannot be restored: it needs WAL up to "
                                    + details.stopLsn()
                                    + ", stored is up to "
                                    + end,
                            "run: mainstay backup " + name + "; then: mainstay verify " + name));
        }
        if (end.isBefore(last) && log.isFreed(end)) {
            return List.of(
                    Finding.warning(
                            WAL,
                            "the newest backup leads to "
                                    + end
                                    + " only: WAL from there on was freed by retention, since"
                                    + " another backup begins later",
                            "run: mainstay backup " + name));
        }
        if (end.isBefore(last)) {
            return List.of(
                    Finding.error(
                            WAL,
                            "WAL is missing from "
                                    + end
                                    + " on; after the gap it is stored up to "
                                    + last,
                            "take a backup now, the recovery window ends at the gap: mainstay"
                                    + " backup "
                                    + name));
        }
        String whole = "WAL is stored without a gap from the newest backup to " + end;
        if (live.isEmpty()) {
            return List.of(Finding.ok(WAL, whole));
        }
        long behind = Math.max(0, live.get().flushed().minus(end));
        String text = whole + ", " + ByteSize.of(behind) + " behind the server";
        return List.of(
                behind > (long) SEGMENTS_BEHIND * details.layout().walSegmentSize()
                        ? Finding.warning(
                                WAL,
                                text + ": this much would be lost with the server",
                                "see what is said of archiving above")
                        : Finding.ok(WAL, text));
    }
}
