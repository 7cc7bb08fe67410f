package dev.mainstay.storage.local;

import dev.mainstay.base.DirectFile;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/// Files that are being written. They lie in a folder of their own on the same file system, whose
/// name no object can have.
final class TempFiles {
    static final String FOLDER = ".tmp~";

    /// No put takes so long; what is older was left by a process that died.
    private static final Duration STALE = Duration.ofDays(1);

    /// The JDK keeps a direct buffer as large as the largest heap buffer that a thread wrote.
    private static final int CHUNK_BYTES = 1 << 20;

    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rw-------");

    private static final String LOCK = "lock";

    private final Folders folders;
    private final Path folder;
    private final String ours;
    private final AtomicLong count = new AtomicLong();
    private final Queue<DirectFile.Memory> memories = new ConcurrentLinkedQueue<>();
    private volatile boolean directFailed;

    TempFiles(Folders folders, InstantSource clock) {
        this.folders = folders;
        this.folder = folders.resolve(FOLDER);
        this.ours = ProcessHandle.current().pid() + "-" + clock.millis() + "-";
    }

    Path folder() {
        return folder;
    }

    /// A file for [Publication.LockedRename]; never swept, or two writers might lock different
    /// ones.
    Path lockFile() {
        return folder.resolve(LOCK);
    }

    /// Writes and syncs a new file. On failure nothing is left.
    Path write(ByteBuffer... content) throws IOException {
        try {
            return writeNew(content);
        } catch (NoSuchFileException _) {
            folders.verifyRoot();
            Folders.makeOne(folder);
            return writeNew(content);
        }
    }

    private Path writeNew(ByteBuffer... content) throws IOException {
        while (true) {
            // The name may be taken: process ids repeat across containers that share a volume.
            Path file = folder.resolve(ours + count.incrementAndGet());
            FileChannel channel;
            try {
                channel =
                        FileChannel.open(
                                file,
                                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                                PosixFilePermissions.asFileAttribute(OWNER_ONLY));
            } catch (FileAlreadyExistsException _) {
                continue;
            }
            boolean whole = false;
            try (channel) {
                Permissions.set(file, OWNER_ONLY);
                writeAll(file, channel, content);
                channel.force(true);
                whole = true;
            } finally {
                if (!whole) {
                    discard(file);
                }
            }
            return file;
        }
    }

    /// Packs are written past the page cache: nobody reads them soon, and a backup is to leave the
    /// memory to the server.
    private void writeAll(Path file, FileChannel channel, ByteBuffer[] content) throws IOException {
        ByteBuffer[] parts = duplicates(content);
        long size = Stream.of(parts).mapToLong(ByteBuffer::remaining).sum();
        long direct = size - size % CHUNK_BYTES;
        if (direct > 0 && !writtenDirectly(file, parts, direct)) {
            direct = 0;
            parts = duplicates(content);
        }
        channel.position(direct);
        for (ByteBuffer part : parts) {
            writeFully(channel, part);
        }
    }

    private static ByteBuffer[] duplicates(ByteBuffer[] content) {
        return Stream.of(content).map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
    }

    /// Whether that worked. A failure may be that of a file system that only pretends to know how:
    /// what is wrong with the disk shows again when all of it is written through the cache.
    private boolean writtenDirectly(Path file, ByteBuffer[] parts, long length) {
        if (directFailed) {
            return false;
        }
        DirectFile.Memory memory =
                Objects.requireNonNullElseGet(memories.poll(), DirectFile.Memory::new);
        try (@Nullable DirectFile out = DirectFile.open(file, CHUNK_BYTES, memory).orElse(null)) {
            if (out == null) {
                return false;
            }
            out.write(parts, length, 0);
            return true;
        } catch (IOException _) {
            directFailed = true;
            return false;
        } finally {
            memories.add(memory);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer content) throws IOException {
        int end = content.limit();
        while (content.position() < end) {
            content.limit(content.position() + Math.min(CHUNK_BYTES, end - content.position()));
            while (content.hasRemaining()) {
                int _ = channel.write(content);
            }
        }
    }

    /// Best effort: what stays is swept a day later.
    void discard(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException _) {
            // It has no name that anybody sees.
        }
    }

    /// Removes what dead processes left. Best effort.
    void sweep(Instant now) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Instant modified = Files.getLastModifiedTime(file).toInstant();
                if (modified.isBefore(now.minus(STALE)) && !file.endsWith(LOCK)) {
                    discard(file);
                }
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException _) {
            // Another process sweeps as well, or the store is read only.
        }
    }
}
