package dev.mainstay.engine.restore;

import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.wal.Fork;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.util.HashSet;
import java.util.Set;

/// Files of unlogged relations that a backup holds by accident and that no restore may bring back.
///
/// A relation is known to be unlogged by its init fork, and a server makes that after the others,
/// for an index on an unlogged table only when the index is built, which can take hours. A backup
/// that looks in between finds an ordinary relation. Replay then makes the init fork, and at the
/// end of recovery the server copies it to the main fork, which must not be there: "could not
/// create file … File exists", and it does not start (ResetUnloggedRelations in storage/file/
/// reinit.c). What these files hold is of no use to anybody: the server would begin them anew.
final class TurnedUnlogged {
    private final Set<dev.mainstay.postgres.wal.RelationFile> relations;

    private TurnedUnlogged(Set<dev.mainstay.postgres.wal.RelationFile> relations) {
        this.relations = relations;
    }

    /// Reads of which relations the log that is replayed makes init forks.
    ///
    /// @throws MainstayException what [ReplayedLog#events] says
    static TurnedUnlogged in(ProtectedSource source, RestorePlan plan) {
        Set<dev.mainstay.postgres.wal.RelationFile> relations = new HashSet<>();
        new ReplayedLog(source, plan)
                .events(
                        event -> {
                            if (event instanceof WalEvent.FileCreated created
                                    && created.fork() == Fork.INIT) {
                                relations.add(created.file());
                            }
                        });
        return new TurnedUnlogged(relations);
    }

    /// Whether an entry is a file of such a relation, other than of its init fork.
    boolean holds(ManifestEntry entry) {
        if (relations.isEmpty()) {
            return false;
        }
        return switch (entry.content()) {
            case Content.Directory _, Content.Link _ -> false;
            case Content.Paged _, Content.Chunked _ ->
                    RelationFile.at(entry.path())
                            .filter(file -> file.fork() != RelationFile.Fork.INIT)
                            .filter(this::isOne)
                            .isPresent();
        };
    }

    private boolean isOne(RelationFile file) {
        return relations.contains(
                new dev.mainstay.postgres.wal.RelationFile(
                        file.tablespaceOid(), file.databaseOid(), file.relfilenode()));
    }
}
