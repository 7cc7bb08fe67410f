package dev.mainstay.postgres.protocol;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/// Cuts the server's bytes into messages: a type byte, a length that counts itself, a body. Bodies
/// are views of one reused buffer and hold until the next call. Not for use by several threads.
final class Inbox {
    static final int CAPACITY = 1 << 20;

    /// Generous for a WAL message (at most 16 blocks of WAL) and for history files.
    static final int LARGEST_BODY = 16 << 20;

    /// What a server that has not proved itself may make us hold.
    static final int LARGEST_LOGIN_BODY = 64 << 10;

    private static final int HEADER = 5;

    private final Transport transport;
    private ByteBuffer buffer = ByteBuffer.allocateDirect(CAPACITY).flip();
    private int largestBody = LARGEST_LOGIN_BODY;
    private byte type;
    private ByteBuffer body = ByteBuffer.allocate(0);
    private long silentNanos;

    Inbox(Transport transport) {
        this.transport = transport;
    }

    void loggedIn() {
        largestBody = LARGEST_BODY;
    }

    /// How long was waited since the server last sent a byte. Time that the caller spent elsewhere
    /// does not count: the bytes may have been here all along.
    Duration silence() {
        return Duration.ofNanos(silentNanos);
    }

    /// Waits for a whole message. False when the deadline passed; what came by then is kept.
    ///
    /// @throws EOFException if the server hung up
    boolean next(Deadline deadline) throws IOException {
        while (true) {
            int wanted = HEADER;
            if (buffer.remaining() >= HEADER) {
                int length = buffer.getInt(buffer.position() + 1);
                if (length < 4 || length - 4 > largestBody) {
                    throw Failures.protocol(
                            "a message of length " + Integer.toUnsignedString(length));
                }
                wanted = 1 + length;
                if (buffer.remaining() >= wanted) {
                    take(wanted);
                    return true;
                }
            }
            if (!fill(wanted, deadline)) {
                return false;
            }
        }
    }

    private void take(int size) {
        int start = buffer.position();
        type = buffer.get(start);
        body = buffer.slice(start + HEADER, size - HEADER);
        buffer.position(start + size);
    }

    private boolean fill(int wanted, Deadline deadline) throws IOException {
        int kept = buffer.remaining();
        if (buffer.capacity() < wanted) {
            buffer = ByteBuffer.allocateDirect(Math.max(wanted, CAPACITY)).put(buffer);
        } else if (kept == 0) {
            buffer.clear();
        } else if (buffer.position() + wanted > buffer.capacity()
                || buffer.limit() == buffer.capacity()) {
            buffer.compact();
        } else {
            int start = buffer.position();
            int end = buffer.limit();
            buffer.limit(buffer.capacity()).position(end);
            try {
                return receive(deadline);
            } finally {
                buffer.limit(buffer.position()).position(start);
            }
        }
        try {
            return receive(deadline);
        } finally {
            buffer.flip();
        }
    }

    private boolean receive(Deadline deadline) throws IOException {
        long before = System.nanoTime();
        int count = transport.read(buffer, deadline);
        if (count < 0) {
            throw new EOFException("the server closed the connection");
        }
        silentNanos = count > 0 ? 0 : silentNanos + System.nanoTime() - before;
        return count > 0;
    }

    byte type() {
        return type;
    }

    ByteBuffer body() {
        return body;
    }
}
