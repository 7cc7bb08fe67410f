package dev.mainstay.engine.restore;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Drops the databases that were restored without content.
final class Databases {
    private Databases() {}

    /// @param dropped by name
    /// @param notes which ones could not be, and why
    record Dropped(List<String> dropped, List<String> notes) {}

    /// @param invalid its own DROP DATABASE was under way at the target: it can be dropped, and
    ///   whatever else is tried with it ends the session
    private record Other(String name, boolean invalid) {}

    /// @param sql of a superuser, to a database that is kept
    static Dropped dropOthers(Connection sql, Set<Long> kept) throws SQLException {
        Map<Long, Other> others = new LinkedHashMap<>();
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT oid, datname, datconnlimit = -2 FROM pg_catalog.pg_database"
                                        + " ORDER BY oid")) {
            while (row.next()) {
                if (!kept.contains(row.getLong(1))) {
                    others.put(row.getLong(1), new Other(row.getString(2), row.getBoolean(3)));
                }
            }
        }
        List<String> dropped = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (Map.Entry<Long, Other> other : others.entrySet()) {
            try {
                drop(sql, other.getKey(), other.getValue());
                dropped.add(other.getValue().name);
            } catch (SQLException refused) {
                if (sql.isClosed()) {
                    throw refused;
                }
                notes.add(
                        "database "
                                + other.getValue().name
                                + " has no content and could not be dropped: "
                                + refused.getMessage());
            }
        }
        return new Dropped(dropped, notes);
    }

    /// A subscription cannot be dropped from another database in the ordinary way, and in its own
    /// there is nothing left to do it with.
    private static void drop(Connection sql, long oid, Other other) throws SQLException {
        try (PreparedStatement subscriptions =
                sql.prepareStatement(
                        "DELETE FROM pg_catalog.pg_subscription WHERE subdbid = ?::int8::oid")) {
            subscriptions.setLong(1, oid);
            subscriptions.executeUpdate();
        }
        try (Statement statement = sql.createStatement()) {
            for (String each : statements(other.name, other.invalid)) {
                statement.execute(each);
            }
        }
    }

    static List<String> statements(String name) {
        return statements(name, false);
    }

    private static List<String> statements(String name, boolean invalid) {
        String quoted = quote(name);
        String drop = "DROP DATABASE " + quoted + " WITH (FORCE)";
        return invalid
                ? List.of(drop)
                : List.of("ALTER DATABASE " + quoted + " IS_TEMPLATE false", drop);
    }

    static String quote(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
