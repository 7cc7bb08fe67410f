package dev.mainstay.base;

import java.io.IOException;
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

/// Writes to a file past the page cache (O_DIRECT). What is written once and not read again soon
/// only costs memory there, copying, and the time to write it back. One thread's.
public final class DirectFile implements AutoCloseable {
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
    public static final class Memory {
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

    /// Opens a file that exists. Empty where it cannot be done: the file system may not know it, or
    /// ask for larger pieces.
    ///
    /// @param alignment what positions and lengths of all writes will be multiples of, in bytes
    public static Optional<DirectFile> open(Path file, int alignment, Memory memory)
            throws IOException {
        Path folder = file.getParent();
        if (DIRECT.isEmpty() || folder == null || alignment == 1) {
            return Optional.empty();
        }
        long block = memory.block(folder);
        if (block <= 0 || alignment % block != 0 || Memory.SIZE % block != 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new DirectFile(
                            FileChannel.open(
                                    file,
                                    StandardOpenOption.WRITE,
                                    LinkOption.NOFOLLOW_LINKS,
                                    DIRECT.get()),
                            memory.aligned((int) block)));
        } catch (IOException | UnsupportedOperationException notHere) {
            return Optional.empty();
        }
    }

    /// A file system may open a file so and refuse to write: what fails here is to be tried through
    /// the cache before it counts.
    ///
    /// @throws IOException with any part of it written
    public void write(byte[] bytes, int offset, int length, long position) throws IOException {
        write(new ByteBuffer[] {ByteBuffer.wrap(bytes, offset, length)}, length, position);
    }

    /// Writes the first bytes of several buffers, one after the other, and moves their positions.
    ///
    /// @param length in bytes, not more than they have
    /// @throws IOException with any part of it written
    public void write(ByteBuffer[] parts, long length, long position) throws IOException {
        int part = 0;
        for (long done = 0; done < length; ) {
            int some = (int) Math.min(length - done, aligned.capacity());
            aligned.clear().limit(some);
            while (aligned.hasRemaining()) {
                ByteBuffer from = parts[part];
                int taken = Math.min(from.remaining(), aligned.remaining());
                aligned.put(aligned.position(), from, from.position(), taken);
                aligned.position(aligned.position() + taken);
                from.position(from.position() + taken);
                if (!from.hasRemaining()) {
                    part++;
                }
            }
            aligned.flip();
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
