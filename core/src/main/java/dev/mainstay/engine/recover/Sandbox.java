package dev.mainstay.engine.recover;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.cluster.PostgresServer;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A directory for a restore that is thrown away. It is locked as long as it is in use; what a
/// killed process left unlocked is removed by the next one that works in the same parent.
public final class Sandbox implements AutoCloseable {
    private static final String PREFIX = "mainstay-sandbox-";
    private static final String LOCK = "in-use";
    private static final String DATA = "data";
    private static final int SOCKET_PATH = 85;

    private final Path path;
    private final Path run;
    private final FileChannel lock;
    private final boolean keep;
    private final Progress progress;

    private Sandbox(Path path, Path run, FileChannel lock, boolean keep, Progress progress) {
        this.path = path;
        this.run = run;
        this.lock = lock;
        this.keep = keep;
        this.progress = progress;
    }

    /// Makes one in the first directory with enough space.
    ///
    /// @param keep nothing is removed in the end
    /// @throws MainstayException RECOVER_SPACE naming what was looked at
    public static Sandbox create(
            List<Path> parents, ByteSize need, boolean keep, Progress progress) {
        List<String> looked = new ArrayList<>();
        for (Path parent : parents) {
            try {
                removeLeftovers(parent, progress);
                long free = Files.getFileStore(parent).getUsableSpace();
                if (free >= need.bytes()) {
                    return make(parent, keep, progress);
                }
                looked.add(parent + " has " + ByteSize.of(free));
            } catch (IOException unusable) {
                looked.add(parent + " cannot be used: " + unusable);
            }
        }
        throw new MainstayException(
                ErrorCode.RECOVER_SPACE,
                "the sandbox may need " + need + ": " + String.join(", ", looked));
    }

    private static Sandbox make(Path parent, boolean keep, Progress progress) throws IOException {
        Path path = Files.createTempDirectory(parent.toRealPath(), PREFIX);
        // The server may be another user's; what is in it is closed to everybody else.
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x--x"));
        FileChannel lock =
                FileChannel.open(
                        path.resolve(LOCK),
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.WRITE);
        if (lock.tryLock() == null) {
            throw new IOException("cannot lock a file in it");
        }
        Path run =
                path.toString().length() < SOCKET_PATH
                        ? Files.createDirectory(path.resolve("run"))
                        : Files.createTempDirectory("mainstay-run-");
        Files.setPosixFilePermissions(run, PosixFilePermissions.fromString("rwx------"));
        return new Sandbox(path, run, lock, keep, progress);
    }

    public Path path() {
        return path;
    }

    /// Becomes the data directory.
    public Path data() {
        return path.resolve(DATA);
    }

    /// Where a tablespace goes.
    public Path tablespace(String oid) {
        return path.resolve("tablespace-" + oid);
    }

    /// For the server's socket: short.
    public Path run() {
        return run;
    }

    /// Only what this user made, and whose process is gone.
    private static void removeLeftovers(Path parent, Progress progress) throws IOException {
        List<Path> found;
        try (Stream<Path> all = Files.list(parent)) {
            found =
                    all.filter(path -> path.getFileName().toString().startsWith(PREFIX))
                            .filter(path -> Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                            .toList();
        }
        for (Path each : found) {
            try {
                if (isLeft(each)) {
                    stop(each.resolve(DATA));
                    remove(each);
                    progress.note("removed " + each + ", which a killed process had left");
                }
            } catch (IOException othersOrGone) {
                // not ours to remove
            }
        }
    }

    private static boolean isLeft(Path sandbox) throws IOException {
        if (!Files.getOwner(sandbox, LinkOption.NOFOLLOW_LINKS)
                .equals(Files.getOwner(Path.of("/proc/self")))) {
            return false;
        }
        try (FileChannel file =
                        FileChannel.open(
                                sandbox.resolve(LOCK),
                                StandardOpenOption.WRITE,
                                LinkOption.NOFOLLOW_LINKS);
                @Nullable FileLock had = file.tryLock()) {
            return had != null;
        } catch (OverlappingFileLockException ours) {
            return false;
        }
    }

    private static void stop(Path data) {
        PostgresServer.of(
                        new PostgresServer.Options(
                                data, data, "", 0, Optional.empty(), Map.of(), data))
                .kill();
    }

    private static void remove(Path tree) throws IOException {
        Files.walkFileTree(
                tree,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException gone) {
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path directory, @Nullable IOException failed) throws IOException {
                        Files.deleteIfExists(directory);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    /// Removes everything, also when this thread was interrupted.
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        try {
            if (keep) {
                Files.deleteIfExists(path.resolve(LOCK)); // or the next one would remove it
                progress.note("everything was kept in " + path);
            } else {
                remove(path);
                remove(run);
            }
            lock.close();
        } catch (IOException failed) {
            progress.note("cannot remove all of " + path + ": " + failed);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
