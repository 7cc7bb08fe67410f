package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import org.jspecify.annotations.Nullable;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;

/// The replication slot that makes the server keep what is not stored yet. The stream itself runs
/// without the slot, because what a stream reports moves its slot, and this one may report what is
/// only spooled; the slot is advanced to what is stored by `pg_replication_slot_advance`.
final class SlotKeeper implements AutoCloseable {
    /// How a slot was found.
    enum State {
        THERE,
        MADE,
        /// The server had invalidated it; it was made anew.
        WAS_LOST
    }

    /// @param position from which the server keeps WAL
    record Kept(Lsn position, State state) {}

    private final ConnectionSpec spec;
    private final String slot;
    private volatile @Nullable Connection connection;

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

    String slot() {
        return slot;
    }

    /// Creates the slot if there is none, or anew if the server has invalidated it.
    synchronized Kept ensure() {
        try {
            Optional<Kept> there = find();
            if (there.isPresent() && there.get().state == State.THERE) {
                return there.get();
            }
            if (there.isPresent()) {
                drop();
            }
            create();
            Lsn position = find().orElseThrow().position;
            return new Kept(position, there.isPresent() ? State.WAS_LOST : State.MADE);
        } catch (SQLException failed) {
            throw SqlSession.failure("creating replication slot " + slot, failed);
        }
    }

    private Optional<Kept> find() throws SQLException {
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
                boolean lost = restart == null || "lost".equals(row.getString(2));
                return Optional.of(
                        new Kept(
                                restart == null ? Lsn.NONE : Lsn.parse(restart),
                                lost ? State.WAS_LOST : State.THERE));
            }
        }
    }

    private void create() throws SQLException {
        try (PreparedStatement create =
                connection()
                        .prepareStatement("SELECT pg_create_physical_replication_slot(?, true)")) {
            create.setString(1, slot);
            create.execute();
        }
    }

    private void drop() throws SQLException {
        try (PreparedStatement drop =
                connection().prepareStatement("SELECT pg_drop_replication_slot(?)")) {
            drop.setString(1, slot);
            drop.execute();
        }
    }

    /// Drops the slot, if it is there, and makes it anew where the server's WAL is now.
    ///
    /// @return the position from which the server keeps WAL
    synchronized Lsn renew() {
        try {
            if (find().isPresent()) {
                drop();
            }
            create();
            return find().orElseThrow().position;
        } catch (SQLException failed) {
            throw SqlSession.failure("making replication slot " + slot + " anew", failed);
        }
    }

    /// Lets the server remove WAL before `stored`; it goes no further than the server has flushed,
    /// or replayed as a standby.
    ///
    /// @return whether the slot is there and whole
    synchronized boolean advance(Lsn stored) {
        try (PreparedStatement advance =
                connection()
                        .prepareStatement(
                                "SELECT pg_replication_slot_advance(slot_name,"
                                        + " greatest(?::pg_lsn, restart_lsn))"
                                        + " FROM pg_replication_slots WHERE slot_name = ?"
                                        + " AND restart_lsn IS NOT NULL"
                                        + " AND wal_status IS DISTINCT FROM 'lost'")) {
            advance.setString(1, stored.toString());
            advance.setString(2, slot);
            try (ResultSet row = advance.executeQuery()) {
                return row.next();
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("advancing replication slot " + slot, failed);
        }
    }

    /// Who else streams under the slot's name, as this receiver does.
    ///
    /// @param own processes of the server that serve or served this receiver
    /// @param serving the one that serves it now; then only those that were there before it count
    synchronized Optional<String> otherReceiver(Set<Integer> own, Optional<Integer> serving) {
        try (PreparedStatement find =
                connection()
                        .prepareStatement(
                                "SELECT other.pid, other.client_addr, other.backend_start"
                                        + " FROM pg_stat_replication other"
                                        + " WHERE other.application_name = ?"
                                        + " AND other.pid <> ALL (?)"
                                        + " AND NOT EXISTS (SELECT FROM pg_stat_replication mine"
                                        + " WHERE mine.pid = ? AND (mine.backend_start, mine.pid)"
                                        + " < (other.backend_start, other.pid))"
                                        + " ORDER BY other.backend_start LIMIT 1")) {
            find.setString(1, slot);
            find.setArray(2, find.getConnection().createArrayOf("int4", own.toArray()));
            find.setInt(3, serving.orElse(0));
            try (ResultSet row = find.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                String address = row.getString(2);
                return Optional.of(
                        "process "
                                + row.getInt(1)
                                + " of the server serves it"
                                + (address == null ? "" : " at " + address)
                                + " since "
                                + row.getString(3));
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("asking who else receives WAL", failed);
        }
    }

    /// Ends a call that another thread waits in.
    void hangUp() {
        Connection open = connection;
        if (open != null) {
            try {
                open.abort(Runnable::run);
            } catch (SQLException _) {
                // it was lost already
            }
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
