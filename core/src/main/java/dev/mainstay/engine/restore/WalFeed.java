package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.WalGet;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;

/// Hands a recovering server the log from within this process: its `restore_command` is a small
/// script that asks in one directory and finds answers in others. So recovery needs no process that
/// opens the repository for each file, nor a server user who may read its key, and some files are
/// ready before they are asked for. Nothing beyond the log that was planned is ever handed out.
final class WalFeed implements AutoCloseable {
    private static final int AHEAD = 6;
    private static final long POLL_NANOS = 4_000_000;
    private static final String SCRIPT =
            """
            # restore_command: %f %p. 1 is for what is proved absent, 200 ends the recovery.
            feed="${0%/get}"
            [ -e "$feed/out/$1" ] || : > "$feed/ask/$1" || exit 200
            while :; do
                if [ -e "$feed/out/$1" ]; then
                    mv -f "$feed/out/$1" "$2" || exit 200
                    exit 0
                fi
                [ ! -e "$feed/failed" ] || exit 200
                if [ -e "$feed/absent/$1" ]; then
                    rm -f "$feed/absent/$1" || exit 200
                    exit 1
                fi
                kill -0 "$PPID" 2>/dev/null || exit 200
                sleep 0.02
            done
            """;

    private final WalGet archive;
    private final Path folder;
    private final WalSegment last;
    private final int sizeBytes;
    private final Consumer<Path> give;
    private final Progress progress;
    private final Thread thread;
    private volatile boolean closing;
    private volatile @Nullable Throwable failure;
    private @Nullable WalSegment next;

    /// @param folder of its own; the server's user may write into its directories
    /// @param last segment that is handed out
    /// @param give makes a file the server's
    WalFeed(WalGet archive, Path folder, WalSegment last, Consumer<Path> give, Progress progress) {
        this.archive = archive;
        this.folder = folder;
        this.last = last;
        this.sizeBytes = last.sizeBytes();
        this.give = give;
        this.progress = progress;
        RestoreFiles.attempt(
                "write into " + folder,
                () -> {
                    for (String name : List.of("ask", "out", "absent", "in")) {
                        give.accept(Files.createDirectory(folder.resolve(name)));
                    }
                    give.accept(Files.writeString(folder.resolve("get"), SCRIPT));
                });
        this.thread = Thread.ofPlatform().daemon().name("wal-feed").start(this::serve);
    }

    /// For `restore_command`.
    String command() {
        String script = folder.resolve("get").toString();
        return "/bin/sh '" + script.replace("%", "%%").replace("'", "'\\''") + "' %f %p";
    }

    /// @throws MainstayException if the log could not be read
    void demandWell() {
        switch (failure) {
            case null -> {}
            case MainstayException known ->
                    throw new MainstayException(
                            known.code(), String.valueOf(known.getMessage()), known.hint(), known);
            case Throwable other ->
                    throw new MainstayException(
                            ErrorCode.RESTORE_WRITE_FAILED,
                            "cannot hand the log to the server: " + other,
                            other);
        }
    }

    private void serve() {
        try {
            while (!closing) {
                List<String> asked = asked();
                for (String name : asked) {
                    answer(name);
                }
                if (asked.isEmpty() && !readAhead()) {
                    LockSupport.parkNanos(POLL_NANOS);
                }
            }
        } catch (IOException | RuntimeException | Error failed) {
            failure = failed;
            try {
                Files.writeString(folder.resolve("failed"), "");
            } catch (IOException _) {
                // the server's script waits; whoever waits for the server looks at the failure
            }
        }
    }

    private List<String> asked() throws IOException {
        try (Stream<Path> names = Files.list(folder.resolve("ask"))) {
            return names.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    /// The question goes first: the server may ask the same again as soon as there is an answer.
    private void answer(String name) throws IOException {
        Files.deleteIfExists(folder.resolve("ask").resolve(name));
        boolean segment = WalSegment.isName(name);
        if (segment) {
            WalSegment wanted = WalSegment.parse(name, sizeBytes);
            boolean found = wanted.number() <= last.number() && fetch(name);
            if (found) {
                next = wanted.number() < last.number() ? wanted.next() : null;
            } else {
                absent(name);
            }
        } else if (!fetch(name)) {
            absent(name);
        }
    }

    /// Whether something was fetched that nobody asked for yet.
    private boolean readAhead() throws IOException {
        WalSegment segment = next;
        if (segment == null) {
            return false;
        }
        try (Stream<Path> ready = Files.list(folder.resolve("out"))) {
            if (ready.count() >= AHEAD) {
                return false;
            }
        }
        // The next one may be on a younger timeline: that is then asked for by its name.
        next =
                fetch(segment.fileName()) && segment.number() < last.number()
                        ? segment.next()
                        : null;
        return next != null;
    }

    private boolean fetch(String name) throws IOException {
        Path ready = folder.resolve("out").resolve(name);
        if (Files.exists(ready)) {
            return true;
        }
        Path incoming = folder.resolve("in").resolve(name);
        if (!archive.get(name, incoming)) {
            return false;
        }
        long size = Files.size(incoming);
        give.accept(incoming);
        Files.move(incoming, ready);
        progress.advance(size);
        return true;
    }

    private void absent(String name) throws IOException {
        Files.write(
                folder.resolve("absent").resolve(name), name.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() {
        closing = true;
        LockSupport.unpark(thread);
        boolean interrupted = Thread.interrupted();
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
