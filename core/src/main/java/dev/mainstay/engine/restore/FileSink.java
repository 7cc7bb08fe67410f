package dev.mainstay.engine.restore;

import dev.mainstay.base.DirectFile;
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
    private final DirectFile.Memory memory = new DirectFile.Memory();
    private @Nullable FileWork current;
    private @Nullable FileChannel channel;
    private @Nullable DirectFile direct;
    private boolean directFailed;

    FileSink(FileSyncs syncs) {
        this.syncs = syncs;
    }

    @Override
    public void write(FileWork file, byte[] bytes, int offset, int length, long position) {
        try {
            open(file);
            if (!written(bytes, offset, length, position)) {
                FileChannel out = cached(file);
                ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
                while (buffer.hasRemaining()) {
                    out.write(buffer, position + (buffer.position() - offset));
                }
                if (file.written(length)) {
                    syncs.begin(file);
                }
            }
        } catch (IOException failed) {
            throw FileSyncs.failed(file, failed);
        }
    }

    /// Whether it was written directly. A failure may be that of a file system that only pretends
    /// to know how: what is wrong with the disk shows again when it is written through the cache.
    private boolean written(byte[] bytes, int offset, int length, long position)
            throws IOException {
        DirectFile open = direct;
        if (open == null) {
            return false;
        }
        try {
            open.write(bytes, offset, length, position);
            return true;
        } catch (IOException failed) {
            directFailed = true;
            direct = null;
            open.close();
            return false;
        }
    }

    private void open(FileWork file) throws IOException {
        if (current == file) {
            return;
        }
        closeFile();
        current = file;
        if (!directFailed) {
            direct = DirectFile.open(file.path(), file.alignment(), memory).orElse(null);
        }
    }

    private FileChannel cached(FileWork file) throws IOException {
        FileChannel open = channel;
        if (open == null) {
            open =
                    FileChannel.open(
                            file.path(), StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            channel = open;
        }
        return open;
    }

    @Override
    public void complete(FileWork file) {
        syncs.complete(file);
    }

    private void closeFile() throws IOException {
        FileChannel open = channel;
        DirectFile openDirect = direct;
        channel = null;
        direct = null;
        current = null;
        try (openDirect) {
            if (open != null) {
                open.close();
            }
        }
    }

    @Override
    public void close() {
        try {
            closeFile();
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.RESTORE_WRITE_FAILED, "cannot close a file: " + failed, failed);
        }
    }
}
