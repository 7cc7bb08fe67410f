package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Received WAL on this host's own disk: a file for each segment, named like it; the one that is
/// not finished ends in `.unfinished`, and one that never will be, because the server left its
/// timeline or lost what follows, in `.left`. History files have their own names. A finished file's
/// name appears only after its bytes are synced. Appending is for one thread, the rest for any.
///
/// One process uses a spool at a time: it holds a lock on the file `lock`.
final class Spool implements AutoCloseable {
    private static final String UNFINISHED = ".unfinished";
    private static final String LEFT = ".left";
    private static final String HISTORY = ".history";
    private static final String LOCK = "lock";

    private final Path directory;
    private final int segmentSizeBytes;
    private final FileChannel lock;
    private Optional<Open> open = Optional.empty();

    /// The unfinished segment. Bytes before `known` were there when the spool was opened and are
    /// compared with what the server sends again.
    private static final class Open {
        final WalSegment segment;
        final FileChannel channel;
        final Path file;
        final int known;
        int written;

        Open(WalSegment segment, FileChannel channel, Path file, int known) {
            this.segment = segment;
            this.channel = channel;
            this.file = file;
            this.known = known;
        }
    }

    private Spool(Path directory, int segmentSizeBytes, FileChannel lock) {
        this.directory = directory;
        this.segmentSizeBytes = segmentSizeBytes;
        this.lock = lock;
    }

    /// @throws MainstayException WAL_RECEIVER_RUNS if another process uses it
    static Spool open(Path directory, int segmentSizeBytes) {
        try {
            Files.createDirectories(
                    directory,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
            return new Spool(directory, segmentSizeBytes, lock(directory));
        } catch (IOException failed) {
            throw failed(directory, failed);
        }
    }

    private static FileChannel lock(Path directory) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        directory.resolve(LOCK),
                        StandardOpenOption.CREATE,
                        StandardOpenOption.WRITE);
        boolean locked = false;
        try {
            locked = channel.tryLock() != null;
        } catch (OverlappingFileLockException _) {
            // said below
        } finally {
            if (!locked) {
                channel.close();
            }
        }
        if (!locked) {
            throw new MainstayException(
                    ErrorCode.WAL_RECEIVER_RUNS,
                    "another receiver ('mainstay server' or 'mainstay wal receive') uses the spool "
                            + directory);
        }
        return channel;
    }

    int segmentSizeBytes() {
        return segmentSizeBytes;
    }

    Path directory() {
        return directory;
    }

    private static MainstayException failed(Path path, IOException failed) {
        return new MainstayException(
                ErrorCode.WAL_SPOOL_DAMAGED,
                "the spool " + path + " cannot be used: " + failed,
                "free space or fix permissions; the server keeps what is not stored",
                failed);
    }

    /// Finished segments that wait to be stored, in order.
    List<WalSegment> finished() {
        return segments("");
    }

    /// The unfinished segment, and such as an earlier process left, in order.
    List<WalSegment> unfinished() {
        return segments(UNFINISHED);
    }

    /// Segments that will never be finished, in order.
    List<WalSegment> left() {
        return segments(LEFT);
    }

    private List<WalSegment> segments(String suffix) {
        return names(suffix).stream()
                .filter(WalSegment::isName)
                .map(name -> WalSegment.parse(name, segmentSizeBytes))
                .sorted(
                        Comparator.comparing(WalSegment::timeline)
                                .thenComparingLong(WalSegment::number))
                .toList();
    }

    /// History files that wait to be stored.
    List<String> histories() {
        return names(HISTORY).stream().map(name -> name + HISTORY).sorted().toList();
    }

    /// Names that end so, without their end.
    private List<String> names(String suffix) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(suffix))
                    .map(name -> name.substring(0, name.length() - suffix.length()))
                    .toList();
        } catch (IOException failed) {
            throw failed(directory, failed);
        }
    }

    byte[] read(WalSegment segment) {
        return readFile(directory.resolve(segment.fileName()));
    }

    /// Some of the unfinished segment; empty if it was finished, or begun anew, meanwhile.
    Optional<byte[]> readUnfinished(WalSegment segment, int from, int to) {
        Path file = directory.resolve(segment.fileName() + UNFINISHED);
        byte[] bytes = new byte[to - from];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer into = ByteBuffer.wrap(bytes);
            while (into.hasRemaining()) {
                if (channel.read(into, (long) from + into.position()) < 0) {
                    return Optional.empty();
                }
            }
            return Optional.of(bytes);
        } catch (NoSuchFileException finished) {
            return Optional.empty();
        } catch (IOException failed) {
            throw failed(file, failed);
        }
    }

    private static byte[] readFile(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException failed) {
            throw failed(file, failed);
        }
    }

    byte[] readLeft(WalSegment segment) {
        return readFile(directory.resolve(segment.fileName() + LEFT));
    }

    byte[] readHistory(String name) {
        return readFile(directory.resolve(name));
    }

    void remove(WalSegment segment) {
        removeFile(directory.resolve(segment.fileName()));
    }

    void removeLeft(WalSegment segment) {
        removeFile(directory.resolve(segment.fileName() + LEFT));
    }

    void removeHistory(String name) {
        removeFile(directory.resolve(name));
    }

    /// Keeps a history file until it is stored; durable when this returns.
    void keepHistory(String name, byte[] content) {
        Path file = directory.resolve(name);
        Path temp = directory.resolve(name + "~");
        try (FileChannel channel =
                FileChannel.open(
                        temp,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
            Files.move(temp, file, StandardCopyOption.ATOMIC_MOVE);
            syncDirectory();
        } catch (IOException failed) {
            throw failed(file, failed);
        }
    }

    private static void removeFile(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException failed) {
            throw failed(file, failed);
        }
    }

    /// What waits here to be stored, in bytes: all but the beginning of the unfinished segment that
    /// is in the repository already.
    ///
    /// @param stored end of what is there
    long waitingBytes(Lsn stored) {
        long there = 0;
        for (WalSegment segment : unfinished()) {
            if (stored.isAfter(segment.start())) {
                long size = directory.resolve(segment.fileName() + UNFINISHED).toFile().length();
                there += Math.min(size, stored.minus(segment.start()));
            }
        }
        return Math.max(0, bytes() - there);
    }

    /// What lies here, in bytes.
    long bytes() {
        long sum = 0;
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                sum += Files.exists(file) ? Files.size(file) : 0;
            }
        } catch (NoSuchFileException stored) {
            return sum;
        } catch (IOException failed) {
            throw failed(directory, failed);
        }
        return sum;
    }

    /// Appends bytes that follow the ones before. Bytes that an earlier process had received
    /// already are compared.
    ///
    /// @param segment they belong to; a piece never crosses a segment's end
    /// @throws MainstayException WAL_CONFLICT if the server now sends other bytes than it did
    ///   before
    void append(WalSegment segment, int offset, ByteBuffer bytes) {
        try {
            Open current = openAt(segment, offset);
            int length = bytes.remaining();
            int overlap = Math.min(length, Math.max(0, current.known - offset));
            if (overlap > 0) {
                compare(current, offset, bytes.duplicate().limit(bytes.position() + overlap));
            }
            ByteBuffer fresh = bytes.duplicate();
            fresh.position(fresh.position() + overlap);
            int at = offset + overlap;
            while (fresh.hasRemaining()) {
                at += current.channel.write(fresh, at);
            }
            current.written = offset + length;
        } catch (IOException failed) {
            throw failed(directory, failed);
        }
    }

    private Open openAt(WalSegment segment, int offset) throws IOException {
        if (open.isPresent() && open.get().segment.equals(segment)) {
            if (open.get().written != offset) {
                throw new MainstayException(
                        ErrorCode.SERVER_PROTOCOL,
                        "WAL arrived at "
                                + segment.start().plus(offset)
                                + " instead of "
                                + segment.start().plus(open.get().written));
            }
            return open.get();
        }
        if (offset != 0) {
            throw new MainstayException(
                    ErrorCode.SERVER_PROTOCOL,
                    "WAL segment " + segment + " arrived from its middle");
        }
        abandon();
        Path file = directory.resolve(segment.fileName() + UNFINISHED);
        FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE);
        int known = validPrefix(segment, channel);
        Open opened = new Open(segment, channel, file, known);
        open = Optional.of(opened);
        syncDirectory();
        return opened;
    }

    /// After a crash of the host the end of the file may be zeros or rubbish; what was synced is
    /// WAL.
    private int validPrefix(WalSegment segment, FileChannel channel) throws IOException {
        byte[] bytes = new byte[(int) Math.min(channel.size(), segmentSizeBytes)];
        ByteBuffer into = ByteBuffer.wrap(bytes);
        while (into.hasRemaining() && channel.read(into, into.position()) >= 0) {
            // until all is read
        }
        return ValidWal.prefix(segment, bytes);
    }

    private static void compare(Open current, int offset, ByteBuffer sent) throws IOException {
        ByteBuffer there = ByteBuffer.allocate(sent.remaining());
        while (there.hasRemaining()
                && current.channel.read(there, offset + there.position()) >= 0) {
            // until all is read
        }
        there.flip();
        if (there.mismatch(sent) >= 0) {
            throw new MainstayException(
                    ErrorCode.WAL_CONFLICT,
                    "the server sends other WAL at "
                            + current.segment.start().plus(offset)
                            + " than it sent before");
        }
    }

    /// Makes what was appended durable.
    ///
    /// @return end of what is durable, if a segment is open
    Optional<Lsn> sync() {
        if (open.isEmpty()) {
            return Optional.empty();
        }
        Open current = open.get();
        try {
            current.channel.force(false);
            if (current.written == segmentSizeBytes) {
                current.channel.force(true);
                current.channel.close();
                open = Optional.empty();
                Files.move(
                        current.file,
                        directory.resolve(current.segment.fileName()),
                        StandardCopyOption.ATOMIC_MOVE);
                syncDirectory();
            }
            return Optional.of(current.segment.start().plus(current.written));
        } catch (IOException failed) {
            throw failed(directory, failed);
        }
    }

    private void syncDirectory() throws IOException {
        try (FileChannel folder = FileChannel.open(directory, StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    /// Closes the unfinished segment's file; it stays.
    void abandon() {
        open.ifPresent(
                current -> {
                    try {
                        current.channel.force(true);
                        current.channel.close();
                    } catch (IOException failed) {
                        throw failed(directory, failed);
                    }
                });
        open = Optional.empty();
    }

    /// The unfinished segment and all others will not go on: what is WAL in them is to be stored as
    /// it is. Those that the stream comes to from `next` on are kept as they are.
    void leave(Optional<WalSegment> next) {
        for (WalSegment segment : unfinished()) {
            boolean goesOn =
                    next.isPresent()
                            && next.get().timeline().equals(segment.timeline())
                            && next.get().number() <= segment.number();
            if (!goesOn) {
                leave(segment);
            }
        }
    }

    private void leave(WalSegment segment) {
        Path file = directory.resolve(segment.fileName() + UNFINISHED);
        boolean isOpen = open.isPresent() && open.get().segment.equals(segment);
        int received = isOpen ? Math.max(open.get().written, open.get().known) : -1;
        if (isOpen) {
            abandon();
        }
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.truncate(received >= 0 ? received : validPrefix(segment, channel));
            channel.force(true);
            Files.move(
                    file,
                    directory.resolve(segment.fileName() + LEFT),
                    StandardCopyOption.ATOMIC_MOVE);
            syncDirectory();
        } catch (IOException failed) {
            throw failed(file, failed);
        }
    }

    /// What of an unfinished segment is WAL, in bytes.
    int validBytes(WalSegment segment) {
        return ValidWal.prefix(
                segment, readFile(directory.resolve(segment.fileName() + UNFINISHED)));
    }

    @Override
    public void close() {
        try (FileChannel _ = lock) {
            abandon();
        } catch (IOException failed) {
            throw failed(directory, failed);
        }
    }
}
