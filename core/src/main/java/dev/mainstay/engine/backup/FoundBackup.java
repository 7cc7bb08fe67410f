package dev.mainstay.engine.backup;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Hold;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A backup and the source that it is of.
///
/// @param held by whom it is kept whatever a policy says
public record FoundBackup(ProtectedSource source, CommittedBackup backup, Optional<Hold> held) {
    /// @throws MainstayException BACKUP_UNKNOWN, or what is wrong with its record
    public static FoundBackup in(ProtectedSource source, BackupId id) {
        RecordChain chain = source.about(id);
        return new FoundBackup(
                source, source.backup(id, chain), Optional.ofNullable(chain.holds().get(id)));
    }

    /// Looks for it in every source whose key can be read.
    ///
    /// @throws MainstayException BACKUP_UNKNOWN, or what is wrong with its record
    public static FoundBackup of(Repository repository, String text) {
        BackupId id = parse(text);
        List<String> damaged = new ArrayList<>();
        for (ProtectedSource source : readable(repository, damaged)) {
            try {
                return in(source, id);
            } catch (MainstayException notHere) {
                if (notHere.code() != ErrorCode.BACKUP_UNKNOWN) {
                    throw notHere;
                }
            }
        }
        throw new MainstayException(
                ErrorCode.BACKUP_UNKNOWN,
                "there is no backup " + id + (damaged.isEmpty() ? "" : "; " + damaged.getFirst()));
    }

    /// @throws MainstayException BACKUP_UNKNOWN if no backup can be called so
    public static BackupId parse(String text) {
        return find(text)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.BACKUP_UNKNOWN,
                                        "'" + text + "' is no backup id"));
    }

    /// Empty if no backup can be called so.
    public static Optional<BackupId> find(String text) {
        try {
            return Optional.of(BackupId.parse(text));
        } catch (IllegalArgumentException notAnId) {
            return Optional.empty();
        }
    }

    /// A source whose key is damaged is told, and keeps nobody from the others.
    ///
    /// @param damaged is told, in a sentence each
    public static List<ProtectedSource> readable(Repository repository, List<String> damaged) {
        return repository.sources(
                (object, why) -> {
                    if (why.code() == ErrorCode.STORE_UNAVAILABLE) {
                        throw why;
                    }
                    damaged.add(
                            object
                                    + ", the key of a source, cannot be read ("
                                    + why.code().id()
                                    + ": "
                                    + why.getMessage()
                                    + ")");
                });
    }
}
