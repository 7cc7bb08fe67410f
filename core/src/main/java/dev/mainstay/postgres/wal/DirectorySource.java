package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// The segment files of one timeline in one directory. A file that is not there is a missing
/// segment; any other failure to read is an error, never the end of the log.
public final class DirectorySource implements WalSource, AutoCloseable {
    private final Path directory;
    private final WalSegment anySegment;
    private long number = -1;
    private @Nullable FileChannel channel;

    DirectorySource(Path directory, WalSegment anySegment) {
        this.directory = directory;
        this.anySegment = anySegment;
    }

    @Override
    public int read(Lsn position, byte[] target, int offset, int length) {
        WalSegment segment =
                WalSegment.containing(anySegment.timeline(), position, anySegment.sizeBytes());
        try {
            FileChannel open = open(segment);
            if (open == null) {
                return MISSING;
            }
            long at = position.minus(segment.start());
            int count = open.read(ByteBuffer.wrap(target, offset, length), at);
            return count <= 0 ? MISSING : count;
        } catch (IOException unreadable) {
            throw new MainstayException(
                    ErrorCode.WAL_FILE_INVALID,
                    "cannot read " + directory.resolve(segment.fileName()),
                    unreadable);
        }
    }

    private @Nullable FileChannel open(WalSegment segment) throws IOException {
        if (channel == null || number != segment.number()) {
            close();
            try {
                channel =
                        FileChannel.open(
                                directory.resolve(segment.fileName()), StandardOpenOption.READ);
                number = segment.number();
            } catch (NoSuchFileException _) {
                return null;
            }
        }
        return channel;
    }

    @Override
    public void close() {
        FileChannel open = channel;
        channel = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException failed) {
                throw new MainstayException(
                        ErrorCode.WAL_FILE_INVALID, "cannot close a file of " + directory, failed);
            }
        }
    }
}
