package dev.mainstay.engine.restore;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The file that says a directory holds a restore which is not complete. Whoever works on the
/// directory holds a lock on it, which ends with the process however that ends: so a restore that
/// is under way is not taken for one that was interrupted.
final class RestoreMarker implements AutoCloseable {
    private final FileChannel channel;

    private RestoreMarker(FileChannel channel) {
        this.channel = channel;
    }

    /// Makes the file, durably. Of two that try at the same time one fails.
    static RestoreMarker make(Path directory, BackupId backup) throws IOException {
        Path file = directory.resolve(TargetDirectory.MARKER);
        RestoreFiles.create(file);
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        try {
            ByteBuffer text =
                    ByteBuffer.wrap(
                            ("backup " + backup + " is being restored here\n")
                                    .getBytes(StandardCharsets.UTF_8));
            while (text.hasRemaining()) {
                channel.write(text);
            }
            channel.force(true);
            lock(channel);
            return new RestoreMarker(channel);
        } catch (IOException | RuntimeException failed) {
            channel.close();
            throw failed;
        }
    }

    /// Takes the lock of what a restore left behind.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if that restore is still under way, or
    ///   nobody can tell
    static RestoreMarker take(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        directory.resolve(TargetDirectory.MARKER),
                        StandardOpenOption.WRITE,
                        LinkOption.NOFOLLOW_LINKS);
        if (lock(channel) == null) {
            channel.close();
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    "a restore into " + directory + " may still be under way",
                    "wait for its end, or name another directory",
                    null);
        }
        return new RestoreMarker(channel);
    }

    /// Null if somebody else has it, or the file system knows no locks.
    private static @Nullable FileLock lock(FileChannel channel) {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException | IOException heldOrUnknown) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
