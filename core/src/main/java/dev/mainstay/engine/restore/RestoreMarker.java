package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The file that says a directory holds a restore which is not complete, in the data directory and
/// in each tablespace. It is there from before the first byte of the restore until just before the
/// control file, and whoever works on the directory holds a lock on the one in the data directory,
/// which ends with the process however that ends: so a restore that is under way is not taken for
/// one that was interrupted.
final class RestoreMarker implements AutoCloseable {
    static final String NAME = "mainstay-restore-incomplete";
    private static final int LIMIT = 1 << 20;

    /// Directories whose marker this process has locked. To close any other channel on the file
    /// would unlock it, so it is not even opened.
    private static final Set<String> HELD = ConcurrentHashMap.newKeySet();

    private enum Lock {
        OURS,
        SOMEBODY_ELSES,
        UNKNOWN
    }

    private final Path directory;
    private final String identity;
    private final FileChannel channel;
    private final MarkerText text;

    private RestoreMarker(Path directory, String identity, FileChannel channel, MarkerText text) {
        this.directory = directory;
        this.identity = identity;
        this.channel = channel;
        this.text = text;
    }

    /// Makes the file, durably, in a directory that holds nothing else. Of several that try at the
    /// same time, one succeeds.
    ///
    /// @param text as it would be of no directory
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if there is anything in the directory
    static RestoreMarker make(Path directory, MarkerText text) throws IOException {
        try (HeldDirectory held = HeldDirectory.open(directory)) {
            String identity = held.identity();
            if (!HELD.add(identity)) {
                throw underWay(directory);
            }
            try {
                return make(
                        held,
                        new MarkerText(
                                text.restore(),
                                text.backup(),
                                held.path(),
                                identity,
                                text.content(),
                                text.tablespaces()));
            } catch (IOException | RuntimeException failed) {
                HELD.remove(identity);
                throw failed;
            }
        }
    }

    private static RestoreMarker make(HeldDirectory held, MarkerText text) throws IOException {
        FileChannel channel;
        try {
            channel = held.create(NAME);
        } catch (FileAlreadyExistsException another) {
            throw underWay(held.path());
        }
        try {
            boolean ours = lock(channel) != Lock.SOMEBODY_ELSES;
            if (!ours || !held.names().equals(List.of(NAME))) {
                held.deleteFile(NAME);
                throw new MainstayException(
                        ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                        held.path() + " is not an empty directory any more");
            }
            ByteBuffer bytes = ByteBuffer.wrap(text.bytes());
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
            RestoreFiles.syncDirectory(held.path());
            return new RestoreMarker(held.path(), text.identity(), channel, text);
        } catch (IOException | RuntimeException failed) {
            channel.close();
            throw failed;
        }
    }

    /// What the marker of this very directory says; empty if there is none or it was made
    /// elsewhere.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if the restore is known to be under way
    static Optional<MarkerText> of(HeldDirectory held) throws IOException {
        Optional<MarkerText> text = read(held);
        if (text.isPresent()) {
            try (FileChannel channel = held.openToChange(NAME)) {
                if (lock(channel) == Lock.SOMEBODY_ELSES) {
                    throw underWay(held.path());
                }
            }
        }
        return text;
    }

    /// Without a look at the lock.
    static Optional<MarkerText> read(HeldDirectory held) throws IOException {
        String identity = held.identity();
        if (HELD.contains(identity)) {
            throw underWay(held.path());
        }
        return held.read(NAME, LIMIT)
                .flatMap(MarkerText::parse)
                .filter(text -> text.directory().equals(held.path()))
                .filter(text -> text.identity().equals(identity));
    }

    /// Takes over what a restore left behind.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if it is not this restore's any more, or
    ///   still under way, or nobody can tell
    static RestoreMarker take(HeldDirectory held, MarkerText expected) throws IOException {
        if (!HELD.add(expected.identity())) {
            throw underWay(held.path());
        }
        try {
            FileChannel channel = held.openToChange(NAME);
            try {
                if (lock(channel) != Lock.OURS) {
                    throw underWay(held.path());
                }
                demandSame(channel, expected);
                return new RestoreMarker(held.path(), expected.identity(), channel, expected);
            } catch (IOException | RuntimeException failed) {
                channel.close();
                throw failed;
            }
        } catch (IOException | RuntimeException failed) {
            HELD.remove(expected.identity());
            throw failed;
        }
    }

    private static void demandSame(FileChannel channel, MarkerText expected) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(LIMIT);
        long position = 0;
        int count = channel.read(content, position);
        while (count > 0) {
            position += count;
            count = channel.read(content, position);
        }
        byte[] bytes = Arrays.copyOf(content.array(), content.position());
        if (!MarkerText.parse(bytes).equals(Optional.of(expected))) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    "another restore into " + expected.directory() + " began meanwhile");
        }
    }

    MarkerText text() {
        return text;
    }

    /// Deletes the file, durably. What was held stays so until [#close].
    void delete() throws IOException {
        try (HeldDirectory held = HeldDirectory.open(directory)) {
            if (!held.identity().equals(identity)) {
                throw new IOException(directory + " is another directory than it was");
            }
            held.deleteFile(NAME);
            RestoreFiles.syncDirectory(directory);
        }
    }

    private static MainstayException underWay(Path directory) {
        return new MainstayException(
                ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                "a restore into " + directory + " may still be under way",
                "wait for its end, or name another directory",
                null);
    }

    private static Lock lock(FileChannel channel) {
        try {
            return channel.tryLock() == null ? Lock.SOMEBODY_ELSES : Lock.OURS;
        } catch (OverlappingFileLockException ofThisProcess) {
            return Lock.SOMEBODY_ELSES;
        } catch (IOException noLocksHere) {
            return Lock.UNKNOWN;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        HELD.remove(identity);
    }
}
