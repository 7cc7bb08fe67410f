package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import org.jspecify.annotations.Nullable;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/// The replication slot that makes the server keep what is not stored yet. The stream itself runs
/// without the slot, because what a stream reports moves its slot, and this one may report what is
/// only spooled; the slot is advanced to what is stored by `pg_replication_slot_advance`.
final class SlotKeeper implements AutoCloseable {
    private final ConnectionSpec spec;
    private final String slot;
    private @Nullable Connection connection;

    SlotKeeper(ConnectionSpec spec, String slot) {
        this.spec = spec;
        this.slot = slot;
    }

    private Connection connection() throws SQLException {
        Connection open = connection;
        if (open == null || !open.isValid(5)) {
            close();
            open = SqlSession.openSql(spec, "mainstay slot");
            connection = open;
        }
        return open;
    }

    /// Creates the slot if there is none.
    ///
    /// @return the position from which the server keeps WAL
    /// @throws MainstayException WAL_SLOT_LOST if the server has invalidated the slot
    synchronized Lsn ensure() {
        try {
            Optional<Lsn> there = find();
            if (there.isPresent()) {
                return there.get();
            }
            try (PreparedStatement create =
                    connection()
                            .prepareStatement(
                                    "SELECT pg_create_physical_replication_slot(?, true)")) {
                create.setString(1, slot);
                create.execute();
            }
            return find().orElseThrow();
        } catch (SQLException failed) {
            throw SqlSession.failure("creating replication slot " + slot, failed);
        }
    }

    private Optional<Lsn> find() throws SQLException {
        try (PreparedStatement find =
                connection()
                        .prepareStatement(
                                "SELECT restart_lsn, wal_status FROM pg_replication_slots"
                                        + " WHERE slot_name = ?")) {
            find.setString(1, slot);
            try (ResultSet row = find.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                String restart = row.getString(1);
                if (restart == null || "lost".equals(row.getString(2))) {
                    throw new MainstayException(
                            ErrorCode.WAL_SLOT_LOST,
                            "the server has invalidated replication slot " + slot);
                }
                return Optional.of(Lsn.parse(restart));
            }
        }
    }

    /// Drops the slot and makes it anew, after its WAL is gone.
    ///
    /// @return the position from which the server keeps WAL
    synchronized Lsn renew() {
        try (PreparedStatement drop =
                connection().prepareStatement("SELECT pg_drop_replication_slot(?)")) {
            drop.setString(1, slot);
            drop.execute();
        } catch (SQLException failed) {
            throw SqlSession.failure("dropping replication slot " + slot, failed);
        }
        return ensure();
    }

    /// Lets the server remove WAL before `stored`.
    synchronized void advance(Lsn stored) {
        try (PreparedStatement advance =
                connection()
                        .prepareStatement(
                                "SELECT pg_replication_slot_advance(?, least(?::pg_lsn,"
                                        + " pg_current_wal_flush_lsn()))")) {
            advance.setString(1, slot);
            advance.setString(2, stored.toString());
            advance.execute();
        } catch (SQLException failed) {
            throw SqlSession.failure("advancing replication slot " + slot, failed);
        }
    }

    @Override
    public synchronized void close() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException _) {
                // it was lost; nothing depends on it
            }
        }
    }
}
