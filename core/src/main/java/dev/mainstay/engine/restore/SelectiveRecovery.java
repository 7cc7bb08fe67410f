package dev.mainstay.engine.restore;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.ProtectedSource;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// Finishes a restore of some databases: recovers with a [PrivateServer], drops what has no
/// content, has amcheck look through what was asked for, and stops the server in good order.
public final class SelectiveRecovery {
    /// What came of it.
    ///
    /// @param lastCommit the last transaction that was replayed
    /// @param dropped databases without content
    /// @param checked what amcheck looked at, in words
    /// @param notes what could not be done, and why
    public record Outcome(
            Optional<Lsn> position,
            Optional<Instant> lastCommit,
            List<String> dropped,
            List<String> checked,
            List<String> notes) {}

    private SelectiveRecovery() {}

    /// @param wanted databases to check
    /// @throws MainstayException as [PrivateServer#recover] does; RESTORE_DATABASE_DAMAGED
    public static Outcome run(
            ProtectedSource source,
            RestorePlan plan,
            KeptDatabases kept,
            Set<String> wanted,
            PrivateServer.Options options,
            Progress progress) {
        try (PrivateServer server = new PrivateServer(plan, kept, options, progress)) {
            server.recover(source);
            try {
                return finish(server, kept, wanted, progress);
            } catch (SQLException failed) {
                throw SqlSession.failure(
                        "finishing the restore (the server's log ends with:\n"
                                + server.logTail()
                                + "\n)",
                        failed);
            }
        }
    }

    private static Outcome finish(
            PrivateServer server, KeptDatabases kept, Set<String> wanted, Progress progress)
            throws SQLException {
        List<String> notes = new ArrayList<>();
        List<String> checked = new ArrayList<>();
        ReplayEnd end;
        Databases.Dropped dropped;
        Set<String> present;
        try (Connection sql = server.connect("template1")) {
            end = ReplayEnd.of(sql);
            dropped = Databases.dropOthers(sql, kept.oids());
            notes.addAll(dropped.notes());
            present = new TreeSet<>(ReplayEnd.names(sql, kept, wanted));
        }
        if (present.size() < wanted.size()) {
            notes.add("at the target not all of " + String.join(", ", wanted) + " were there");
        }
        for (String database : present) {
            progress.begin("checking database " + database, 0);
            try (Connection sql = server.connect(database)) {
                StructureCheck.Result result = StructureCheck.run(sql, "true");
                result.demandWell("database " + database);
                result.note().ifPresent(note -> notes.add("database " + database + " " + note));
                if (result.note().isEmpty()) {
                    checked.add(
                            database
                                    + ": "
                                    + result.tables()
                                    + " tables and "
                                    + result.indexes()
                                    + " B-tree indexes");
                }
            } finally {
                progress.end();
            }
        }
        return new Outcome(
                end.position(), end.lastCommit(), dropped.dropped(), checked, List.copyOf(notes));
    }
}
