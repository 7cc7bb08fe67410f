package dev.mainstay.engine.archive;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/// Writes WAL files for PostgreSQL.
final class WalFiles {
    private static final int CHUNK = 1 << 20;

    private WalFiles() {}

    /// Writes a file that must not exist. Like all that PostgreSQL itself writes it can be read by
    /// its owner only, or also by the group of a data directory that was made so.
    static void writeFresh(byte[] content, Path file) throws IOException {
        try (FileChannel out =
                FileChannel.open(
                        file,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")))) {
            write(content, out);
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null
                && Files.getPosixFilePermissions(folder).contains(PosixFilePermission.GROUP_READ)) {
            Files.getFileAttributeView(file, PosixFileAttributeView.class)
                    .setPermissions(PosixFilePermissions.fromString("rw-r-----"));
        }
    }

    static void write(byte[] content, FileChannel out) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(content);
        while (bytes.hasRemaining()) {
            int end = Math.min(bytes.position() + CHUNK, content.length);
            bytes.limit(end);
            out.write(bytes);
            bytes.limit(content.length);
        }
    }
}
