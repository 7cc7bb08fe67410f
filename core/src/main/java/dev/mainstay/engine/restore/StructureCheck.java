package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.Amcheck;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Has amcheck look through a database: every table's rows and every B-tree index against its
/// table. The extension is made for that in a schema of its own and dropped again, unless the
/// database has it.
public final class StructureCheck {
    private static final String SCHEMA = "mainstay_amcheck";
    private static final int REPORTED = 10;

    /// @param damage the first findings
    /// @param note why nothing or not everything was looked at
    public record Result(long tables, long indexes, List<String> damage, Optional<String> note) {
        /// @param what was checked, for the message
        /// @throws MainstayException RESTORE_DATABASE_DAMAGED
        public void demandWell(String what) {
            if (!damage.isEmpty()) {
                throw new MainstayException(
                        ErrorCode.RESTORE_DATABASE_DAMAGED,
                        "amcheck finds " + what + " damaged: " + String.join("; ", damage));
            }
        }
    }

    private final Statement statement;
    private final List<String> damage = new ArrayList<>();

    private StructureCheck(Statement statement) {
        this.statement = statement;
    }

    /// @param sql of a superuser; commits by itself
    /// @param relations SQL condition on `c` (pg_class) for tables; indexes follow their tables
    public static Result run(Connection sql, String relations) throws SQLException {
        try (Statement statement = sql.createStatement()) {
            return new StructureCheck(statement).run(relations);
        }
    }

    private Result run(String relations) throws SQLException {
        if (!Amcheck.isAvailable(statement)) {
            return new Result(
                    0, 0, List.of(), Optional.of("not checked: amcheck is not installed here"));
        }
        Optional<Amcheck> installed = Amcheck.installed(statement);
        if (installed.isPresent()) {
            return check(installed.get(), relations);
        }
        statement.execute("CREATE SCHEMA " + SCHEMA);
        try {
            statement.execute("CREATE EXTENSION amcheck SCHEMA " + SCHEMA);
            return check(Amcheck.installed(statement).orElseThrow(), relations);
        } finally {
            statement.execute("DROP SCHEMA " + SCHEMA + " CASCADE");
        }
    }

    private Result check(Amcheck amcheck, String relations) throws SQLException {
        List<Amcheck.Relation> tables = amcheck.tables(relations);
        for (Amcheck.Relation table : tables) {
            find(() -> amcheck.table(table));
        }
        List<Amcheck.Relation> indexes = amcheck.indexes(relations);
        for (Amcheck.Relation index : indexes) {
            find(() -> amcheck.index(index, true));
        }
        return new Result(tables.size(), indexes.size(), damage, Optional.empty());
    }

    private interface Look {
        List<String> find() throws SQLException;
    }

    private void find(Look look) throws SQLException {
        if (damage.size() >= REPORTED) {
            return;
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
        }
        damage.addAll(look.find());
    }
}
