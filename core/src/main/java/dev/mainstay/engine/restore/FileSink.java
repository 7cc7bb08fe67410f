package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;

/// Writes files that exist already, one thread's share.
final class FileSink implements FrameReads.Sink {
    private final FileSyncs syncs;
    private @Nullable FileWork current;
    private @Nullable FileChannel channel;

    FileSink(FileSyncs syncs) {
        this.syncs = syncs;
    }

    @Override
    public void write(FileWork file, byte[] bytes, int offset, int length, long position) {
        try {
            FileChannel out = open(file);
            ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
            while (buffer.hasRemaining()) {
                out.write(buffer, position + (buffer.position() - offset));
            }
        } catch (IOException failed) {
            throw FileSyncs.failed(file, failed);
        }
        if (file.written(length)) {
            syncs.begin(file);
        }
    }

    private FileChannel open(FileWork file) throws IOException {
        FileChannel open = channel;
        if (open == null || current != file) {
            closeChannel();
            open =
                    FileChannel.open(
                            file.path(), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            channel = open;
            current = file;
        }
        return open;
    }

    @Override
    public void complete(FileWork file) {
        syncs.complete(file);
    }

    private void closeChannel() throws IOException {
        FileChannel open = channel;
        channel = null;
        current = null;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public void close() {
        try {
            closeChannel();
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.RESTORE_WRITE_FAILED, "cannot close a file: " + failed, failed);
        }
    }
}
