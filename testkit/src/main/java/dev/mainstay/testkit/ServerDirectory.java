package dev.mainstay.testkit;

import dev.mainstay.postgres.cluster.ServerUser;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// A temporary directory that the server's user can use even when the tests run as root (JUnit's
/// `@TempDir` is closed to everybody else). Its path is short, as Unix sockets need it.
public final class ServerDirectory implements AutoCloseable {
    private final Path path;

    private ServerDirectory(Path path) {
        this.path = path;
    }

    public static ServerDirectory create() {
        try {
            Path path = Files.createTempDirectory("mainstay-");
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
            ServerUser.giveToUnprivileged(path);
            return new ServerDirectory(path.toRealPath());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path path() {
        return path;
    }

    /// A new directory in it that only the server's user (and root) may enter.
    public Path directory(String name) {
        try {
            Path made = Files.createDirectory(path.resolve(name));
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwx------"));
            ServerUser.giveToUnprivileged(made);
            return made;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Deletes it with all that is in it.
    ///
    /// @throws AssertionError if there was a secret where none is supposed to be
    @Override
    public void close() {
        List<String> secrets = SecretScan.of(path);
        delete();
        if (!secrets.isEmpty()) {
            throw new AssertionError("secrets were left behind: " + secrets);
        }
    }

    private void delete() {
        try {
            Files.walkFileTree(
                    path,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                                throws IOException {
                            Files.deleteIfExists(file);
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e)
                                throws IOException {
                            if (e instanceof NoSuchFileException) {
                                return FileVisitResult.CONTINUE;
                            }
                            throw e;
                        }

                        @Override
                        public FileVisitResult postVisitDirectory(Path dir, @Nullable IOException e)
                                throws IOException {
                            if (e != null) {
                                throw e;
                            }
                            Files.deleteIfExists(dir);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
