package dev.mainstay.engine.restore;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/// Writes to a file past the page cache (O_DIRECT): a restore writes once what it does not read
/// again, so the cache would only cost memory, copying and the time to write it back. One thread's.
final class DirectFile implements AutoCloseable {
    /// The JDK has it (module jdk.unsupported) and documents it, but warns of its name.
    private static final Optional<OpenOption> DIRECT =
            constant("com.sun.nio.file.ExtendedOpenOption", "DIRECT");

    private final FileChannel channel;
    private final ByteBuffer aligned;

    private DirectFile(FileChannel channel, ByteBuffer aligned) {
        this.channel = channel;
        this.aligned = aligned;
    }

    private static Optional<OpenOption> constant(String type, String name) {
        try {
            return Stream.of(Objects.requireNonNull(Class.forName(type).getEnumConstants()))
                    .filter(each -> each.toString().equals(name))
                    .map(OpenOption.class::cast)
                    .findFirst();
        } catch (ClassNotFoundException notHere) {
            return Optional.empty();
        }
    }

    /// A thread's memory for what it writes, used again for each file, and what it knows of
    /// folders.
    static final class Memory {
        private static final int SIZE = 1 << 20;

        private final Map<Path, Long> blocks = new HashMap<>();
        private ByteBuffer buffer = ByteBuffer.allocate(0);
        private long alignment;

        private long block(Path folder) throws IOException {
            Long known = blocks.get(folder);
            if (known == null) {
                known = Files.getFileStore(folder).getBlockSize();
                blocks.put(folder, known);
            }
            return known;
        }

        private ByteBuffer aligned(int to) {
            if (alignment != to) {
                alignment = to;
                buffer = ByteBuffer.allocateDirect(SIZE + to).alignedSlice(to).limit(SIZE).slice();
            }
            return buffer;
        }
    }

    /// Gives a new file that will be written so its length: writing beyond the end keeps all other
    /// writers of the file waiting.
    static void prepare(FileWork file) throws IOException {
        if (file.alignment() > 1) {
            try (RandomAccessFile empty = new RandomAccessFile(file.path().toFile(), "rw")) {
                empty.setLength(file.entry().sizeBytes());
            }
        }
    }

    /// Opens a file that is written in large aligned pieces; empty where it is not, or where this
    /// cannot be done: the file system may not know it, or asks for larger pieces.
    static Optional<DirectFile> open(FileWork file, Memory memory) throws IOException {
        Path folder = file.path().getParent();
        if (DIRECT.isEmpty() || folder == null || file.alignment() == 1) {
            return Optional.empty();
        }
        long block = memory.block(folder);
        if (block <= 0 || file.alignment() % block != 0 || Memory.SIZE % block != 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new DirectFile(
                            FileChannel.open(
                                    file.path(),
                                    StandardOpenOption.WRITE,
                                    LinkOption.NOFOLLOW_LINKS,
                                    DIRECT.get()),
                            memory.aligned((int) block)));
        } catch (IOException | UnsupportedOperationException notHere) {
            return Optional.empty();
        }
    }

    /// @throws IOException with any part of it written
    void write(byte[] bytes, int offset, int length, long position) throws IOException {
        for (int done = 0; done < length; ) {
            int some = Math.min(length - done, aligned.capacity());
            aligned.clear().put(bytes, offset + done, some).flip();
            while (aligned.hasRemaining()) {
                channel.write(aligned, position + done + aligned.position());
            }
            done += some;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
