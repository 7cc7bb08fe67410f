package dev.mainstay.engine.recover;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Questions to a server, in one line each.
final class Sql {
    private final Connection connection;

    /// Every name in what it answers is complete: no schema is searched but `pg_catalog`.
    Sql(Connection connection) throws SQLException {
        this.connection = connection;
        execute("SET search_path = pg_catalog");
    }

    void execute(String statement) throws SQLException {
        try (Statement sql = connection.createStatement()) {
            sql.execute(statement);
        }
    }

    /// Rows of texts; null is an empty one.
    List<List<String>> rows(String query, Object... parameters) throws SQLException {
        List<List<String>> rows = new ArrayList<>();
        try (PreparedStatement sql = connection.prepareStatement(query)) {
            for (int i = 0; i < parameters.length; i++) {
                sql.setObject(i + 1, parameters[i]);
            }
            try (ResultSet row = sql.executeQuery()) {
                int columns = row.getMetaData().getColumnCount();
                while (row.next()) {
                    List<String> values = new ArrayList<>();
                    for (int i = 1; i <= columns; i++) {
                        String value = row.getString(i);
                        values.add(value == null ? "" : value);
                    }
                    rows.add(values);
                }
            }
        }
        return rows;
    }

    /// The first column.
    List<String> texts(String query, Object... parameters) throws SQLException {
        return rows(query, parameters).stream().map(List::getFirst).toList();
    }

    Optional<String> text(String query, Object... parameters) throws SQLException {
        return texts(query, parameters).stream().findFirst();
    }

    boolean isTrue(String query, Object... parameters) throws SQLException {
        return text(query, parameters).orElse("").equals("t");
    }
}
