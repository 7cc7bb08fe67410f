package dev.mainstay.postgres.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/// Writes whole messages, one after the other, for any number of threads.
final class Outbox {
    private final Transport transport;
    private final Duration patience;
    private final ReentrantLock lock = new ReentrantLock();

    Outbox(Transport transport, Duration patience) {
        this.transport = transport;
        this.patience = patience;
    }

    void send(char type, byte[] body) throws IOException {
        ByteBuffer message = ByteBuffer.allocate(5 + body.length);
        message.put((byte) type).putInt(4 + body.length).put(body).flip();
        write(message);
    }

    /// The start of a conversation has no type byte.
    void sendUntyped(byte[] body) throws IOException {
        write(ByteBuffer.allocate(4 + body.length).putInt(4 + body.length).put(body).flip());
    }

    private void write(ByteBuffer message) throws IOException {
        lock.lock();
        try {
            transport.write(message, Deadline.after(patience));
        } finally {
            lock.unlock();
        }
    }

    /// A farewell that waits for nobody.
    void terminate() {
        if (lock.tryLock()) {
            try {
                ByteBuffer message = ByteBuffer.allocate(5).put((byte) 'X').putInt(4).flip();
                transport.write(message, new Deadline(System.nanoTime()));
            } catch (IOException _) {
                // the server finds out by itself
            } finally {
                lock.unlock();
            }
        }
    }

    static byte[] text(String text) {
        return (text + "\0").getBytes(StandardCharsets.UTF_8);
    }
}
