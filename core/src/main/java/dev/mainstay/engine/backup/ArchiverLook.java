package dev.mainstay.engine.backup;

import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.postgres.protocol.SqlSession;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/// Who could bring a server's WAL into the repository, as the server sees it at one moment.
///
/// @param slot whether the receiver's replication slot is there
/// @param receiver whether a stream is open that calls itself by the slot's name, as ours does
/// @param archiver whether the server itself archives: `archive_mode` with a command or library
record ArchiverLook(String slotName, boolean slot, boolean receiver, boolean archiver) {
    static ArchiverLook at(Connection sql, String slotName) {
        try (PreparedStatement ask =
                sql.prepareStatement(
                        "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots"
                                + " WHERE slot_name = ?),"
                                + " EXISTS (SELECT FROM pg_catalog.pg_stat_replication"
                                + " WHERE application_name = ?),"
                                + " EXISTS (SELECT FROM pg_catalog.pg_settings"
                                + " WHERE name = 'archive_mode' AND setting <> 'off')"
                                + " AND EXISTS (SELECT FROM pg_catalog.pg_settings"
                                + " WHERE name IN ('archive_command', 'archive_library')"
                                + " AND setting NOT IN ('', '(disabled)'))")) {
            ask.setString(1, slotName);
            ask.setString(2, slotName);
            try (ResultSet row = ask.executeQuery()) {
                row.next();
                return new ArchiverLook(
                        slotName, row.getBoolean(1), row.getBoolean(2), row.getBoolean(3));
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("asking who archives WAL", failed);
        }
    }

    /// Whether somebody is there who stores all WAL written from now on. A receiver without its
    /// slot is just beginning: it will not store what is written before it has made one.
    boolean isSomebodyThere() {
        return archiver || (slot && receiver);
    }

    /// What is seen, and what stands in the way if anything does.
    String text() {
        if (receiver && slot) {
            return "the receiver is connected"
                    + (archiver ? ", and the server archives by itself" : "");
        }
        if (archiver) {
            return "the server archives by itself (archive_command or archive_library)";
        }
        String nobody = "no receiver is connected and archive_mode is off or without a command";
        return slot
                ? nobody + "; the server keeps WAL for replication slot " + slotName
                : nobody + "; there is no replication slot " + slotName + " either";
    }

    /// What to do about it.
    String hint(String source) {
        if (receiver && slot) {
            return "is it catching up, or does it store into another repository? its output says"
                    + " how far it is";
        }
        return archiver
                ? "'mainstay check " + source + "' tells what keeps archive_command from storing"
                : WalReceiver.howToStart(source)
                        + "; or set archive_mode = on and archive_command = 'mainstay wal push"
                        + " --source "
                        + source
                        + " %p' and restart the server";
    }
}
