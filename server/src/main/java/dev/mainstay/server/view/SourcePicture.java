package dev.mainstay.server.view;

import dev.mainstay.base.BackupId;

import java.util.List;
import java.util.Optional;

/// What the repository has of a source.
///
/// @param configured whether the configuration names it
/// @param tag changes when anything of it does
/// @param backups the newest first
/// @param damaged records that cannot be read
public record SourcePicture(
        String name,
        boolean configured,
        String tag,
        List<BackupRow> backups,
        List<String> damaged) {
    public SourcePicture {
        backups = List.copyOf(backups);
        damaged = List.copyOf(damaged);
    }

    boolean has(BackupId id) {
        return backups.stream().anyMatch(each -> each.id().equals(id));
    }

    /// The newest whose record can be read.
    public Optional<BackupRow> newest() {
        return backups.stream().filter(each -> each.end().isPresent()).findFirst();
    }
}
