package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/// Brings restored files to the disk while others are still being put together: large ones piece by
/// piece, so that the last sync has little left to do, and several at a time, which file systems
/// journal together.
final class FileSyncs implements AutoCloseable {
    private static final int THREADS = 4;

    /// Bytes of one file after which the disk gets to work on it.
    static final long PIECE = 32L << 20;

    private final Ownership ownership;
    private final ExecutorService threads =
            Executors.newFixedThreadPool(
                    THREADS, Thread.ofPlatform().name("restore-sync-", 0).factory());
    private final AtomicReference<@Nullable MainstayException> failure = new AtomicReference<>();

    FileSyncs(Ownership ownership) {
        this.ownership = ownership;
    }

    /// Has the disk begin with what a file holds so far.
    void begin(FileWork file) {
        submit(file, false);
    }

    /// Makes a whole file durable, then gives it its owner, mode and time.
    void complete(FileWork file) {
        submit(file, true);
    }

    private void submit(FileWork file, boolean whole) {
        demandNoFailure();
        threads.execute(
                () -> {
                    try {
                        sync(file, whole);
                    } catch (IOException failed) {
                        failure.compareAndSet(null, failed(file, failed));
                    } catch (RuntimeException | Error failed) {
                        failure.compareAndSet(
                                null,
                                new MainstayException(
                                        ErrorCode.INTERNAL,
                                        "cannot sync " + file.path() + ": " + failed,
                                        failed));
                    }
                });
    }

    private void sync(FileWork file, boolean whole) throws IOException {
        try (FileChannel channel =
                FileChannel.open(
                        file.path(), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            channel.force(whole);
        }
        if (whole) {
            ownership.apply(file.path(), file.entry());
        }
    }

    static MainstayException failed(FileWork file, IOException failed) {
        return new MainstayException(
                ErrorCode.RESTORE_WRITE_FAILED,
                "cannot write " + file.path() + ": " + failed,
                failed);
    }

    private void demandNoFailure() {
        MainstayException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }

    /// Returns once everything asked for is durable. Nothing more can be asked for.
    ///
    /// @throws MainstayException RESTORE_WRITE_FAILED or INTERRUPTED
    void await() {
        try {
            threads.shutdown();
            while (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
                // a slow disk
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
        }
        demandNoFailure();
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
