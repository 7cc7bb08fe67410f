package dev.mainstay.it;

import dev.mainstay.engine.archive.WalPush;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// Pushes what an `archive_command` puts into a folder, in order, as `mainstay wal push` does; the
/// files stay for restores to read.
final class WalFeeder implements AutoCloseable {
    private static final String STORED = ".stored-";

    private final Path folder;
    private final Supplier<Path> dataDirectory;
    private final List<WalPush> pushes;
    private final Set<String> done = new HashSet<>();
    private final Thread thread;
    private volatile boolean stopped;
    private volatile Optional<Throwable> failed = Optional.empty();

    /// What the server has to run: like any honest `archive_command` it succeeds only once the
    /// segment is stored, since the server may remove it then. A server that crashed may leave one
    /// running that still copies.
    static String archiveCommand(Path folder) {
        return "cp %p D/.%f.$$ && mv D/.%f.$$ D/%f && n=0 && until test -e D/S%f; do n=$((n + 1)); test $n -lt 500 || exit 1; sleep 0.02; done"
                .replace("D/", folder + "/")
                .replace("/S%f", "/" + STORED + "%f");
    }

    /// @param dataDirectory of the server; asked for the cluster's identity alone
    WalFeeder(Path folder, Supplier<Path> dataDirectory, List<WalPush> pushes) {
        this.folder = folder;
        this.dataDirectory = dataDirectory;
        this.pushes = pushes;
        this.thread = Thread.startVirtualThread(this::run);
    }

    private void run() {
        try {
            while (!stopped) {
                for (String name : names()) {
                    if (done.add(name)) {
                        pushes.forEach(
                                push -> push.push(folder.resolve(name), dataDirectory.get()));
                        Files.createFile(folder.resolve(STORED + name));
                    }
                }
                LockSupport.parkNanos(20_000_000);
            }
        } catch (IOException | RuntimeException | Error e) {
            failed = Optional.of(e);
        }
    }

    private List<String> names() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /// @throws AssertionError if something could not be stored
    void requireWell() {
        failed.ifPresent(
                cause -> {
                    throw new AssertionError("WAL was not stored", cause);
                });
    }

    @Override
    public void close() {
        stopped = true;
        try {
            thread.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
