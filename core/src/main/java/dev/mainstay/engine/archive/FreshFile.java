package dev.mainstay.engine.archive;

import dev.mainstay.repository.WalArchive;

import org.jspecify.annotations.Nullable;

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

/// A WAL file that is being written for PostgreSQL, under a name that must be free. It is removed
/// again unless it is kept.
///
/// Like all that PostgreSQL itself writes it can be read by its owner only, or also by the group of
/// a data directory that was made so. It is not synced: PostgreSQL does that with what it keeps.
final class FreshFile implements WalArchive.Sink<IOException>, AutoCloseable {
    /// The page cache takes memory in pieces as large as what is written to it. Larger ones come
    /// from memory that many a virtual machine gave back to its host, and getting it again costs
    /// several times what writing does.
    private static final int CHUNK = 1 << 14;

    private final Path file;
    private final @Nullable Path folder;
    private @Nullable FileChannel out;
    private boolean kept;

    /// @param folder whose permissions tell
    FreshFile(Path file, @Nullable Path folder) {
        this.file = file;
        this.folder = folder;
    }

    @Override
    public void begin(int lengthBytes) throws IOException {
        out =
                FileChannel.open(
                        file,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rw-------")));
    }

    @Override
    public void accept(byte[] bytes, int offset, int length) throws IOException {
        if (out == null) {
            throw new IllegalStateException(file + " was not begun");
        }
        write(bytes, offset, length, out);
    }

    /// In pieces: the JDK keeps native memory of the size of the largest.
    static void write(byte[] content, int offset, int length, FileChannel out) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(content, offset, length);
        int end = offset + length;
        while (bytes.position() < end) {
            bytes.limit(Math.min(bytes.position() + CHUNK, end));
            out.write(bytes);
        }
    }

    /// Everything is written and is right.
    void keep() throws IOException {
        if (folder != null
                && Files.getPosixFilePermissions(folder).contains(PosixFilePermission.GROUP_READ)) {
            Files.getFileAttributeView(file, PosixFileAttributeView.class)
                    .setPermissions(PosixFilePermissions.fromString("rw-r-----"));
        }
        kept = true;
    }

    @Override
    public void close() throws IOException {
        if (out == null) {
            return;
        }
        try (FileChannel _ = out) {
            if (!kept) {
                Files.deleteIfExists(file);
            }
        }
    }
}
