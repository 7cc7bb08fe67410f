package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Makes files and directories durable, closed to others until they have their final mode.
final class RestoreFiles {
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_DIRECTORY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<Set<PosixFilePermission>> PRIVATE_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private RestoreFiles() {}

    /// Something on the file system that may fail.
    @FunctionalInterface
    interface Step {
        void run() throws IOException;
    }

    /// @throws MainstayException RESTORE_WRITE_FAILED naming what failed
    static void attempt(String doing, Step step) {
        try {
            step.run();
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.RESTORE_WRITE_FAILED, "cannot " + doing + ": " + failed, failed);
        }
    }

    /// A directory that others may have to pass through to get to: only the last level is closed.
    static void baseDirectory(Path directory) throws IOException {
        Path parent = directory.getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        directories(directory);
    }

    static void directories(Path directory) throws IOException {
        Files.createDirectories(directory, PRIVATE_DIRECTORY);
    }

    /// A new, empty file.
    static void create(Path file) throws IOException {
        Path parent = file.getParent();
        if (parent != null && !Files.isDirectory(parent)) {
            directories(parent);
        }
        Files.createFile(file, PRIVATE_FILE);
    }

    /// Writes a file whole and syncs it; one that is there is replaced.
    static void write(Path file, byte[] content) throws IOException {
        Files.deleteIfExists(file);
        create(file);
        try (FileChannel out =
                FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            ByteBuffer buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                out.write(buffer);
            }
            out.force(true);
        }
    }

    static void rename(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
