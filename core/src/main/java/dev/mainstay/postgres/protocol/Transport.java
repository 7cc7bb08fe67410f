package dev.mainstay.postgres.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;

/// A byte stream to a server. One thread may read while another writes; closing from a third ends
/// both. An interrupt ends a blocked call at once and leaves the thread's interrupt flag set.
interface Transport extends AutoCloseable {
    /// Reads at least one byte. Returns 0 when the deadline passes first, -1 at the end.
    ///
    /// @param into has room
    int read(ByteBuffer into, Deadline deadline) throws IOException;

    /// Writes all of it.
    ///
    /// @throws java.net.SocketTimeoutException if the deadline passes first
    void write(ByteBuffer from, Deadline deadline) throws IOException;

    /// The tls-server-end-point channel binding; empty without TLS.
    byte[] channelBinding();

    boolean encrypted();

    @Override
    void close();
}
