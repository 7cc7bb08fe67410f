package dev.mainstay.engine.restore;

import dev.mainstay.base.BackupId;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// What is wanted of a restore.
///
/// @param directory becomes the data directory; absolute, new or empty
/// @param backup the one to start from; left empty, the newest that lies before the target
/// @param recovery what the restored server does once it is started
/// @param tablespaces where tablespaces go that shall not go where they were: old → new directory
/// @param originalExternals configuration files from outside the data directory go back to where
///   they were, as far as there is none; otherwise they are put below `mainstay-external`
/// @param processMax how many threads read and write
public record RestoreRequest(
        Path directory,
        Optional<BackupId> backup,
        Recovery recovery,
        Map<String, String> tablespaces,
        boolean originalExternals,
        int processMax) {
    public RestoreRequest {
        directory = directory.toAbsolutePath().normalize();
        tablespaces = Map.copyOf(tablespaces);
    }

    /// The same into another directory.
    public RestoreRequest withDirectory(Path other) {
        return new RestoreRequest(
                other, backup, recovery, tablespaces, originalExternals, processMax);
    }

    /// What a server does at the target.
    public enum Action {
        PAUSE,
        PROMOTE,
        SHUTDOWN
    }

    /// @param standby the server stays in recovery and follows whatever is archived
    /// @param keepArchiving the restored cluster replaces its source and archives as that did
    /// @param restoreCommand with `%f` and `%p`; what PostgreSQL calls for each WAL file
    public record Recovery(
            RestoreTarget target,
            TimelineChoice timeline,
            Action action,
            boolean standby,
            boolean keepArchiving,
            String restoreCommand) {}
}
