package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;

import java.util.Set;

/// Something in a repository that is not what it should be.
///
/// @param object its name
/// @param what is wrong, in words that name the thing
/// @param backups that cannot be restored whole because of it
public record Defect(String object, ErrorCode code, String what, Set<BackupId> backups) {
    public Defect {
        backups = Set.copyOf(backups);
    }
}
