package dev.mainstay.engine.backup;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.wal.BlockChanges;
import dev.mainstay.postgres.wal.ChangedBlocks;
import dev.mainstay.postgres.wal.Fork;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.format.Json;

import java.util.Optional;

/// What an incremental knows of the pages that changed since the backup it builds on
/// (docs/format.md section 9, `changes`).
public sealed interface Changes {
    /// Of a full backup where an incremental would have been welcome.
    Changes NO_PARENT =
            new Unknown(
                    "no earlier backup is of a cluster with this system identifier, page size and"
                            + " checksum setting");

    /// What the backup's record says.
    Json toJson();

    /// For people: where the changes were found, or why everything was read.
    String text();

    /// The log names every page that changed between two positions.
    ///
    /// @param from where replay of the earlier backup begins: what it copied later may lack changes
    ///   from there on
    /// @param to where replay of this backup begins
    record FromWal(Lsn from, Lsn to) implements Changes {
        @Override
        public Json toJson() {
            return Json.object().put("from", from.toString()).put("to", to.toString());
        }

        @Override
        public String text() {
            return "only what changed, by the WAL from " + from + " to " + to;
        }
    }

    /// Everything is read and compared with the earlier backup's fingerprints.
    ///
    /// @param reason why the log was not asked, or could not tell
    record Unknown(String reason) implements Changes {
        @Override
        public Json toJson() {
            return Json.object().put("reason", reason);
        }

        @Override
        public String text() {
            return "everything: " + reason;
        }
    }

    /// What a backup's record says; empty for a full one that was asked for, or was the first.
    static Optional<Changes> read(Json details) {
        if (!details.has("changes")) {
            return Optional.empty();
        }
        Json changes = details.object("changes");
        return Optional.of(
                changes.has("reason")
                        ? new Unknown(changes.string("reason"))
                        : new FromWal(
                                Lsn.parse(changes.string("from")),
                                Lsn.parse(changes.string("to"))));
    }

    /// Which pages of a relation segment file may have changed. Only main forks are judged by the
    /// log: free space maps are not derived from it, visibility maps and init forks are small.
    ///
    /// @param relationSegmentBlocks pages in a full segment file
    static ChangedPages pages(ChangedBlocks changed, RelationFile file, int relationSegmentBlocks) {
        return file.fork() == RelationFile.Fork.MAIN
                ? of(changed, file, relationSegmentBlocks)
                : ChangedPages.ALL;
    }

    /// What the log says of a relation segment file of a main fork.
    static LoggedPages of(ChangedBlocks changed, RelationFile file, int relationSegmentBlocks) {
        if (changed.isDirectoryReplaced(file.tablespaceOid(), file.databaseOid())) {
            return new LoggedPages(0, new int[0]);
        }
        Optional<BlockChanges> blocks =
                changed.of(
                        new dev.mainstay.postgres.wal.RelationFile(
                                file.tablespaceOid(), file.databaseOid(), file.relfilenode()),
                        Fork.MAIN);
        long first = Integer.toUnsignedLong(file.firstBlock(relationSegmentBlocks));
        return blocks.map(
                        each ->
                                new LoggedPages(
                                        Math.max(0, each.limit().orElse(Long.MAX_VALUE) - first),
                                        each.within(first, first + relationSegmentBlocks)))
                .orElseGet(() -> new LoggedPages(Long.MAX_VALUE, new int[0]));
    }
}
