package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// The file that says a delta restore is under way in a data directory, or was interrupted there.
/// It is whole and durable before the control file goes and is deleted just before that comes
/// again; a lock on it ends with the process that holds it. It keeps in mind which cluster the
/// directory was, when nothing else in it tells any more.
///
/// ```
/// mainstay-delta-incomplete 1
/// system 7340035219876543210
/// directory (dev=fe01,ino=1234)
/// end
/// ```
final class DeltaMark implements AutoCloseable {
    static final String NAME = "mainstay-delta-incomplete";
    private static final String FIRST = "mainstay-delta-incomplete 1";
    private static final String SYSTEM = "system ";
    private static final String DIRECTORY = "directory ";
    private static final String LAST = "end";
    private static final int LIMIT = 1 << 12;

    /// To close another channel on the file would unlock it, so it is not even opened.
    private static final Set<String> HELD = ConcurrentHashMap.newKeySet();

    private final HeldDirectory directory;
    private final String identity;
    private final FileChannel channel;

    private DeltaMark(HeldDirectory directory, String identity, FileChannel channel) {
        this.directory = directory;
        this.identity = identity;
        this.channel = channel;
    }

    /// The cluster whose delta restore was interrupted in this very directory; empty if there was
    /// none, or it had not begun to change anything.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if it is under way
    static Optional<SystemId> of(HeldDirectory directory) throws IOException {
        String identity = directory.identity();
        if (HELD.contains(identity)) {
            throw underWay(directory);
        }
        Optional<SystemId> system =
                directory.read(NAME, LIMIT).flatMap(bytes -> parse(bytes, identity));
        if (system.isPresent()) {
            try (FileChannel channel = directory.openToChange(NAME)) {
                lock(channel, directory);
            }
        }
        return system;
    }

    private static Optional<SystemId> parse(byte[] bytes, String identity) {
        List<String> lines =
                Arrays.asList(new String(bytes, StandardCharsets.UTF_8).split("\n", -1));
        boolean whole =
                lines.size() == 5
                        && lines.get(0).equals(FIRST)
                        && lines.get(1).startsWith(SYSTEM)
                        && lines.get(2).equals(DIRECTORY + identity)
                        && lines.get(3).equals(LAST);
        try {
            return whole
                    ? Optional.of(SystemId.parse(lines.get(1).substring(SYSTEM.length())))
                    : Optional.empty();
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    /// Makes the mark, durably, or takes over that of an interrupted restore.
    ///
    /// @param directory stays open as long as the mark
    static DeltaMark make(HeldDirectory directory, SystemId system) throws IOException {
        String identity = directory.identity();
        if (!HELD.add(identity)) {
            throw underWay(directory);
        }
        try {
            boolean whole =
                    directory
                            .read(NAME, LIMIT)
                            .flatMap(bytes -> parse(bytes, identity))
                            .equals(Optional.of(system));
            if (!whole && directory.has(NAME)) {
                directory.deleteFile(NAME); // cut short before anything was changed
            }
            FileChannel channel = whole ? directory.openToChange(NAME) : directory.create(NAME);
            try {
                lock(channel, directory);
                if (!whole) {
                    write(channel, system, identity);
                    RestoreFiles.syncDirectory(directory.path());
                }
                return new DeltaMark(directory, identity, channel);
            } catch (IOException | RuntimeException failed) {
                channel.close();
                throw failed;
            }
        } catch (IOException | RuntimeException failed) {
            HELD.remove(identity);
            throw failed;
        }
    }

    private static void write(FileChannel channel, SystemId system, String identity)
            throws IOException {
        String text = String.join("\n", FIRST, SYSTEM + system, DIRECTORY + identity, LAST) + "\n";
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        channel.force(true);
    }

    /// Where a file system has no locks nobody can tell, and the operator, who was asked, decides.
    private static void lock(FileChannel channel, HeldDirectory directory) {
        try {
            if (channel.tryLock() == null) {
                throw underWay(directory);
            }
        } catch (OverlappingFileLockException ofThisProcess) {
            throw underWay(directory);
        } catch (IOException noLocksHere) {
            return;
        }
    }

    private static MainstayException underWay(HeldDirectory directory) {
        return new MainstayException(
                ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                "a delta restore into " + directory.path() + " is under way",
                "wait for its end",
                null);
    }

    /// Deletes the file, durably. The directory stays ours until [#close].
    void delete() throws IOException {
        try {
            directory.deleteFile(NAME);
        } catch (NoSuchFileException gone) {
            // somebody else's doing; it is what was wanted
        }
        RestoreFiles.syncDirectory(directory.path());
    }

    @Override
    public void close() throws IOException {
        channel.close();
        HELD.remove(identity);
    }
}
