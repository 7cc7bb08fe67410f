package dev.mainstay.cli;

import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;

import org.jspecify.annotations.Nullable;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// Somebody who writes all the time.
final class DemoWriter implements AutoCloseable {
    private final AtomicReference<@Nullable Instant> last = new AtomicReference<>();
    private final Thread thread;
    private volatile boolean stopped;
    private final AtomicInteger written = new AtomicInteger();

    DemoWriter(ConnectionSpec spec) {
        thread =
                Thread.ofVirtual()
                        .start(
                                () -> {
                                    try (Connection sql = SqlSession.openSql(spec, "writer");
                                            Statement statement = sql.createStatement()) {
                                        while (!stopped) {
                                            String now =
                                                    DemoStory.value(
                                                            statement,
                                                            "INSERT INTO journal VALUES (now(),"
                                                                    + " repeat('x', 200)) RETURNING"
                                                                    + " extract(epoch FROM"
                                                                    + " clock_timestamp())::text");
                                            last.set(
                                                    Instant.ofEpochMilli(
                                                            (long)
                                                                    (Double.parseDouble(now)
                                                                            * 1000)));
                                            written.incrementAndGet();
                                            LockSupport.parkNanos(2_000_000);
                                        }
                                    } catch (SQLException _) {
                                        // the server died, as the story has it
                                    }
                                });
    }

    /// Waits until so many more rows were written.
    void await(int rows) {
        int until = written.get() + rows;
        while (written.get() < until && thread.isAlive()) {
            LockSupport.parkNanos(1_000_000);
        }
    }

    Instant lastCommit() {
        Instant at = last.get();
        return at == null ? Instant.EPOCH : at;
    }

    @Override
    public void close() {
        stopped = true;
        thread.interrupt();
    }
}
