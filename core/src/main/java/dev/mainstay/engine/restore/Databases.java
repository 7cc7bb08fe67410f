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

    /// @param sql of a superuser, to a database that is kept
    static Dropped dropOthers(Connection sql, Set<Long> kept) throws SQLException {
        Map<Long, String> others = new LinkedHashMap<>();
        try (Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT oid, datname FROM pg_catalog.pg_database ORDER BY oid")) {
            while (row.next()) {
                if (!kept.contains(row.getLong(1))) {
                    others.put(row.getLong(1), row.getString(2));
                }
            }
        }
        List<String> dropped = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        for (Map.Entry<Long, String> other : others.entrySet()) {
            try {
                drop(sql, other.getKey(), other.getValue());
                dropped.add(other.getValue());
            } catch (SQLException refused) {
                if (sql.isClosed()) {
                    throw refused;
                }
                notes.add(
                        "database "
                                + other.getValue()
                                + " has no content and could not be dropped: "
                                + refused.getMessage());
            }
        }
        return new Dropped(dropped, notes);
    }

    /// A subscription cannot be dropped from another database in the ordinary way, and in its own
    /// there is nothing left to do it with.
    private static void drop(Connection sql, long oid, String name) throws SQLException {
        try (PreparedStatement subscriptions =
                sql.prepareStatement(
                        "DELETE FROM pg_catalog.pg_subscription WHERE subdbid = ?::int8::oid")) {
            subscriptions.setLong(1, oid);
            subscriptions.executeUpdate();
        }
        try (Statement statement = sql.createStatement()) {
            for (String each : statements(name)) {
                statement.execute(each);
            }
        }
    }

    static List<String> statements(String name) {
        String quoted = quote(name);
        return List.of(
                "ALTER DATABASE " + quoted + " IS_TEMPLATE false",
                "DROP DATABASE " + quoted + " WITH (FORCE)");
    }

    static String quote(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
