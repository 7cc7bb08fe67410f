package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/// What keeps a backup from being removed, whatever a policy says: records of type `hold`, as long
/// as no `release` names them (docs/format.md section 9). A hold and a release that did not see
/// each other leave the backup held.
///
/// @param reason as whoever holds it said; the newest where several do
/// @param records names of the holds in effect
public record Hold(String reason, List<String> records) {
    public Hold {
        records = List.copyOf(records);
    }

    static Map<BackupId, Hold> inEffect(List<RecordChain.Event> chain) {
        Set<String> released = new HashSet<>();
        for (RecordChain.Event record : chain) {
            if (record.type().equals("release")) {
                released.addAll(record.body().object("body").strings("holds"));
            }
        }
        Map<BackupId, Hold> holds = new TreeMap<>();
        for (RecordChain.Event record : chain) {
            if (record.type().equals("hold") && !released.contains(record.object())) {
                Json body = record.body().object("body");
                String reason = body.has("reason") ? body.string("reason") : "";
                holds.merge(
                        backup(record.object(), body.string("backup")),
                        new Hold(reason, List.of(record.object())),
                        Hold::and);
            }
        }
        return holds;
    }

    private static BackupId backup(String record, String text) {
        try {
            return BackupId.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED, "record " + record + " holds no backup", wrong);
        }
    }

    private Hold and(Hold newer) {
        List<String> both = new ArrayList<>(records);
        both.addAll(newer.records);
        return new Hold(newer.reason, both);
    }

    /// Holds a backup.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if there is none, or it was removed at the same
    ///   time
    static void put(ProtectedSource source, BackupId backup, String reason) {
        source.backup(backup);
        source.records()
                .append("hold", Json.object().put("backup", backup.text()).put("reason", reason));
        RecordChain now = source.records();
        if (now.slot(backup).isEmpty() || now.isRemoved(backup)) {
            throw new MainstayException(
                    ErrorCode.BACKUP_UNKNOWN,
                    "backup " + backup + " was being removed at the same moment",
                    "'mainstay backups' shows whether it is still there, and held",
                    null);
        }
    }

    /// Ends all holds of a backup.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if nobody holds it
    static void release(ProtectedSource source, BackupId backup) {
        release(source, backup, hold -> hold);
    }

    /// The same for these holds alone: whoever put another one meanwhile still holds it.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN if none of them is in effect
    static void release(ProtectedSource source, BackupId backup, Set<String> records) {
        release(source, backup, hold -> hold.only(records));
    }

    private @Nullable Hold only(Set<String> some) {
        List<String> left = records.stream().filter(some::contains).toList();
        return left.isEmpty() ? null : new Hold(reason, left);
    }

    private static void release(
            ProtectedSource source, BackupId backup, Function<Hold, @Nullable Hold> which) {
        RecordChain chain = source.records();
        Hold held = chain.holds().get(backup);
        Hold hold = held == null ? null : which.apply(held);
        if (hold == null) {
            source.backup(backup);
            throw new MainstayException(
                    ErrorCode.BACKUP_UNKNOWN,
                    "backup " + backup + " of " + source.name() + " is not held",
                    "'mainstay backups' shows which are",
                    null);
        }
        chain.append(
                "release",
                Json.object().put("backup", backup.text()).putStrings("holds", hold.records));
    }
}
