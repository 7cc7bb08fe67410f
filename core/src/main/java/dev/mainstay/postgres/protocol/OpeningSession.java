package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// A SQL session that is opened while its user does something else. Closed before it was taken, it
/// closes the session too, whenever that opens.
public final class OpeningSession implements AutoCloseable {
    private final FutureTask<Connection> opening;
    private boolean taken;

    private OpeningSession(FutureTask<Connection> opening) {
        this.opening = opening;
    }

    /// Begins to log in, as [SqlSession#openSql] does.
    public static OpeningSession begin(ConnectionSpec spec, String applicationName) {
        FutureTask<Connection> opening =
                new FutureTask<>(() -> SqlSession.openSql(spec, applicationName));
        Thread.ofPlatform().daemon().name("login").start(opening);
        return new OpeningSession(opening);
    }

    /// Waits for the session, which is the caller's to close from now on.
    ///
    /// @throws MainstayException what [SqlSession#openSql] threw, or INTERRUPTED
    public Connection take() {
        Connection session = await();
        taken = true;
        return session;
    }

    private Connection await() {
        try {
            return opening.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "the login was interrupted", interrupted);
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case RuntimeException known -> throw known;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(failed);
            }
        }
    }

    @Override
    public void close() {
        if (taken) {
            return;
        }
        Thread.ofVirtual()
                .start(
                        () -> {
                            try {
                                opening.get().close();
                            } catch (InterruptedException | ExecutionException | SQLException _) {
                                // there is no session, or it is of no use any more
                            }
                        });
    }
}
