package dev.mainstay.engine.config;

import java.nio.file.Path;
import java.util.Optional;

/// Where a server keeps what is no backup: jobs, tokens, the audit trail.
public sealed interface ServerState {
    /// An embedded database in a folder of this host, for one server.
    record Directory(Path path) implements ServerState {
        public static final Path DEFAULT = Path.of("/var/lib/mainstay/server");
    }

    /// A database of a PostgreSQL server, for as many servers as wanted.
    ///
    /// @param url as libpq has it
    /// @param password unless it stands elsewhere
    record Shared(String url, Optional<Secret> password) implements ServerState {}
}
