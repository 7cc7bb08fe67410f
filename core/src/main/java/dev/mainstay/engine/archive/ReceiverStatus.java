package dev.mainstay.engine.archive;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import java.time.Duration;

/// Where a receiver stands. *Spooled* is synced on the receiver's disk, or stored; *stored* is in
/// the repository.
///
/// @param server end of WAL on the server when it last said so
/// @param spooledLag age of the oldest byte that is on the server and not spooled
/// @param storedLag age of the oldest byte that is on the server and not stored
/// @param waiting bytes in the spool that are not stored
public record ReceiverStatus(
        TimelineId timeline,
        Lsn server,
        Lsn spooled,
        Lsn stored,
        Duration spooledLag,
        Duration storedLag,
        ByteSize waiting) {
    @Override
    public String toString() {
        return "server at "
                + server
                + ", spooled "
                + spooled
                + " ("
                + seconds(spooledLag)
                + " behind)"
                + ", stored "
                + stored
                + " ("
                + seconds(storedLag)
                + " behind)"
                + ", timeline "
                + timeline;
    }

    private static String seconds(Duration lag) {
        return String.format(java.util.Locale.ROOT, "%.1f s", lag.toMillis() / 1000.0);
    }
}
