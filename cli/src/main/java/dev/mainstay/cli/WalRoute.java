package dev.mainstay.cli;

import dev.mainstay.base.SystemId;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.nio.file.Path;

/// How `wal push` and `wal get` reach the repository: a process of its own opens it for one file
/// ([DirectWal]), an agent keeps it open ([ResidentWal]).
interface WalRoute {
    /// What `wal get` is asked for.
    ///
    /// @param here the data directory, as a rule
    /// @param unfinishedToo as [WalGet] has it
    record Wish(String source, String name, Path target, Path here, boolean unfinishedToo) {}

    /// The cluster that asks.
    record Cluster(ProtectedSource source, SystemId system, int segmentSizeBytes) {}

    /// Stores a file; durable when this returns.
    WalArchive.Stored push(Session session, String source, Path file, Path dataDirectory);

    /// @return false if the file is proved absent
    boolean get(Session session, Wish wish);

    /// Whether a failure is final. That of an agent is not: a process of its own asks once more.
    boolean isFinal();
}
