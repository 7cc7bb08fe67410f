package dev.mainstay.engine.restore;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.CommittedBackup;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A restore that is possible: what it will write, what it will replay, and why the target is sure
/// to be reached.
///
/// @param tablespaces where each goes
/// @param warnings what an operator should know before
public record RestorePlan(
        RestoreRequest request,
        CommittedBackup backup,
        BackupDetails details,
        Replay replay,
        Volume volume,
        List<Tablespace> tablespaces,
        List<String> warnings) {
    public RestorePlan {
        tablespaces = List.copyOf(tablespaces);
        warnings = List.copyOf(warnings);
    }

    /// What is replayed.
    ///
    /// @param timelineSetting value of `recovery_target_timeline`
    /// @param first WAL segment that is needed
    /// @param last WAL segment that is needed
    /// @param end where replay stops; for the latest state, where stored WAL ends
    /// @param time of the transaction or restore point that decides; for the latest state, of the
    ///   last transaction
    public record Replay(
            String timelineSetting,
            WalSegment first,
            WalSegment last,
            Lsn end,
            Optional<Instant> time) {
        public long segments() {
            return last.number() - first.number() + 1;
        }
    }

    /// What is written.
    public record Volume(long files, ByteSize size) {}

    /// @param from the directory it was in
    /// @param to the directory it will be in
    public record Tablespace(String oid, String from, Path to) {}

    /// Looks whether the directories can be written to now. A plan says nothing about that.
    ///
    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_DIRECTORY_UNSAFE,
    ///   RESTORE_TABLESPACE
    public void demandFreeDirectories() {
        TargetDirectory.demandFree(this);
    }

    /// The same for when an interrupted restore into the same directory is removed.
    ///
    /// @throws MainstayException RESTORE_TABLESPACE
    public void demandFreeDirectoriesBut(HalfRestore half) {
        TargetDirectory.demandFreeTablespaces(this, half.directories());
    }

    /// Why the target is sure to be reached, in a sentence.
    public String proof() {
        String log =
                "WAL is stored without a gap from "
                        + replay.first
                        + " to "
                        + replay.last
                        + "; the backup is consistent at "
                        + details.stopLsn();
        return switch (request.recovery().target()) {
            case RestoreTarget.Immediate _ -> log;
            case RestoreTarget.Latest _ -> log + ", the log ends at " + replay.end + lastTime();
            case RestoreTarget.At at -> log + ", " + at + " is reached at " + replay.end + time();
        };
    }

    private String lastTime() {
        return replay.time.map(time -> ", its last transaction at " + time).orElse("");
    }

    private String time() {
        return replay.time.map(time -> " (" + time + ")").orElse("");
    }

    /// A line for each thing an operator wants to know.
    public List<String> lines() {
        RestoreRequest.Recovery recovery = request.recovery();
        List<String> lines = new ArrayList<>();
        lines.add("restore backup " + backup.id() + " into " + request.directory());
        lines.add("write " + volume.files + " files, " + volume.size);
        for (Tablespace tablespace : tablespaces) {
            lines.add(
                    "tablespace "
                            + tablespace.oid
                            + " of "
                            + tablespace.from
                            + ": "
                            + tablespace.to);
        }
        lines.add(
                "recover to "
                        + recovery.target()
                        + " on timeline "
                        + replay.timelineSetting
                        + ", replaying "
                        + replay.segments()
                        + " WAL segments");
        lines.add(proof());
        lines.add(
                recovery.standby()
                        ? "then stay a standby"
                        : "then "
                                + (recovery.target() instanceof RestoreTarget.Latest
                                        ? "accept connections"
                                        : recovery.action()
                                                .name()
                                                .toLowerCase(java.util.Locale.ROOT)));
        lines.add(recovery.keepArchiving() ? "archive as before" : "do not archive");
        warnings.forEach(warning -> lines.add("warning: " + warning));
        return lines;
    }

    @Override
    public String toString() {
        return String.join("\n", lines());
    }
}
