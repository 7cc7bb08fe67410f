package dev.mainstay.storage.local;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;

import org.jspecify.annotations.Nullable;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/// Objects as files below a directory, under their own names; any number of processes may share it.
///
/// A put writes a temp file, syncs it, links it to its final name (which fails if that is taken),
/// and syncs the directory and those above it as far as they may be new. So an object is visible
/// whole or not at all, and an answer is durable. Files get the mode 0600 and directories 0700.
///
/// A file system without hard links is noticed when the store is opened; puts then rename under an
/// exclusive file lock, and the facts do not promise `putIfAbsent`. One that may only be read is
/// opened, and refuses puts.
///
/// If the directory is unmounted or replaced while the store is open, calls fail with
/// STORE_UNAVAILABLE; nothing is taken for absent then.
public final class LocalStore implements ObjectStore {
    private static final int CHUNK_BYTES = 1 << 20;

    /// Each attempt is spoilt only by somebody who removes the directory in the very moment between
    /// its making and its use.
    private static final int MAX_ATTEMPTS = 1000;

    private final Folders folders;
    private final TempFiles temp;
    private final DirectorySync sync;
    private final Publication publication;
    private final StoreFacts facts;

    private LocalStore(Folders folders, TempFiles temp, Abilities abilities) {
        this.folders = folders;
        this.temp = temp;
        this.sync = new DirectorySync(folders.root(), abilities.directorySync());
        this.publication =
                abilities.hardLinks()
                        ? new Publication.HardLink()
                        : new Publication.LockedRename(temp.lockFile());
        this.facts =
                new StoreFacts(
                        "file://" + folders.root(),
                        abilities.writable() && abilities.hardLinks(),
                        true,
                        abilities.directorySync() && abilities.survives(),
                        false);
    }

    /// Opens the store in an existing directory. It is not made: a mount point that is missing must
    /// not become a repository on the wrong disk.
    ///
    /// @param clock tells which temp files dead processes left
    /// @throws MainstayException STORE_UNAVAILABLE if the directory does not exist
    public static LocalStore open(Path root, InstantSource clock) {
        Folders folders = Folders.open(root);
        TempFiles temp = new TempFiles(folders, clock);
        try {
            LocalStore store = new LocalStore(folders, temp, Abilities.probe(folders, temp));
            temp.sweep(clock.instant());
            return store;
        } catch (IOException failure) {
            throw Failures.translate("cannot open store '" + root + "'", failure);
        }
    }

    /// As [#open(Path, InstantSource)], by the system's clock.
    public static LocalStore open(Path root) {
        return open(root, InstantSource.system());
    }

    /// Makes the directory, and those above it, durably if need be, and opens the store in it.
    public static LocalStore create(Path root) {
        return create(root, InstantSource.system());
    }

    /// As [#create(Path)], by another clock.
    public static LocalStore create(Path root, InstantSource clock) {
        try {
            Deque<Path> missing = new ArrayDeque<>();
            for (Path path = root.toAbsolutePath().normalize();
                    !Files.exists(path);
                    path = DirectorySync.parent(path)) {
                missing.push(path);
            }
            for (Path path : missing) {
                Folders.makeOne(path);
                DirectorySync.force(DirectorySync.parent(path));
            }
        } catch (AccessDeniedException closed) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "cannot make directory '"
                            + root
                            + "': no right to write in "
                            + closed.getFile(),
                    "make it for the user who runs this, as root: install -d -o USER -m 700 "
                            + root,
                    closed);
        } catch (IOException failure) {
            throw Failures.translate("cannot make directory '" + root + "'", failure);
        }
        return open(root, clock);
    }

    /// A store that is told what its file system can do, for tests of the rarer ones.
    static LocalStore openAs(Path root, InstantSource clock, Abilities abilities) {
        Folders folders = Folders.open(root);
        return new LocalStore(folders, new TempFiles(folders, clock), abilities);
    }

    @Override
    public StoreFacts facts() {
        return facts;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        Path target = folders.resolve(ObjectName.check(name));
        try {
            if (settleExisting(target)) {
                return PutOutcome.EXISTED;
            }
            Path file = temp.write(content);
            try {
                return publish(file, target);
            } finally {
                temp.discard(file);
            }
        } catch (IOException failure) {
            Optional<Path> object = folders.blocking(target);
            if (object.isPresent()) {
                throw taken("'" + name + "' cannot lie inside the object '" + object.get() + "'");
            }
            throw Failures.translate("cannot put '" + name + "'", failure);
        }
    }

    /// A rename over what is there, which is atomic; readers that have the old file open go on with
    /// it.
    @Override
    public void replace(String name, ByteBuffer... content) {
        Path target = folders.resolve(ObjectName.check(name));
        Path directory = DirectorySync.parent(target);
        try {
            Path file = temp.write(content);
            try {
                folders.make(directory);
                Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
                settleCreated(directory);
            } finally {
                temp.discard(file);
            }
        } catch (IOException failure) {
            throw Failures.translate("cannot replace '" + name + "'", failure);
        }
    }

    private PutOutcome publish(Path file, Path target) throws IOException {
        Path directory = DirectorySync.parent(target);
        for (int attempt = 1; ; attempt++) {
            try {
                folders.make(directory);
                if (publication.publish(file, target)) {
                    settleCreated(directory);
                    return PutOutcome.CREATED;
                }
                if (settleExisting(target)) {
                    return PutOutcome.EXISTED;
                }
                clearEmptyFolder(target);
            } catch (NoSuchFileException raced) {
                folders.verifyRoot();
                if (attempt == MAX_ATTEMPTS) {
                    throw raced;
                }
            }
        }
    }

    private void settleCreated(Path directory) throws IOException {
        try {
            sync.settle(directory);
        } catch (NoSuchFileException _) {
            // Created, and deleted by somebody else since: putting it again would undo that.
            folders.verifyRoot();
        }
    }

    /// Whether the name is an object's. If so it is durable now, whoever wrote it.
    private boolean settleExisting(Path target) throws IOException {
        if (folders.object(target).isEmpty()) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.READ)) {
            channel.force(true);
            sync.settle(DirectorySync.parent(target));
            return true;
        } catch (NoSuchFileException _) {
            return false; // deleted meanwhile
        }
    }

    /// The name is taken, but not by an object.
    private static void clearEmptyFolder(Path target) throws IOException {
        Folders.Kind kind = Folders.Kind.of(target);
        if (kind == Folders.Kind.OTHER) {
            throw taken("'" + target + "' is no file");
        }
        if (kind != Folders.Kind.DIRECTORY) {
            if (Files.isSymbolicLink(target)) {
                throw taken("'" + target + "' is a link that leads to no file");
            }
            return; // the object was deleted meanwhile, or is there again
        }
        try {
            Files.deleteIfExists(target);
        } catch (DirectoryNotEmptyException _) {
            throw taken("'" + target + "' is the folder of other objects");
        }
    }

    private static MainstayException taken(String message) {
        return new MainstayException(ErrorCode.STORE_OBJECT_EXISTS, message);
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        Path file = folders.resolve(ObjectName.check(name));
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("negative range: " + offset + ", " + length);
        }
        try {
            Optional<BasicFileAttributes> attributes = folders.object(file);
            if (attributes.isEmpty()) {
                throw missing(name, null);
            }
            if (offset > attributes.get().size() - length) {
                throw new MainstayException(
                        ErrorCode.STORE_READ_SHORT,
                        "object '%s' has %d bytes, %d were wanted from %d"
                                .formatted(name, attributes.get().size(), length, offset));
            }
            return read(file, offset, length);
        } catch (NoSuchFileException deleted) {
            folders.verifyRoot();
            throw missing(name, deleted);
        } catch (EOFException truncated) {
            throw new MainstayException(
                    ErrorCode.STORE_READ_SHORT,
                    "object '" + name + "' became shorter while it was read",
                    truncated);
        } catch (IOException failure) {
            throw Failures.translate("cannot read '" + name + "'", failure);
        }
    }

    private static byte[] read(Path file, long offset, int length) throws IOException {
        byte[] bytes = new byte[length];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (int done = 0; done < length; ) {
                int chunk = Math.min(CHUNK_BYTES, length - done);
                int count = channel.read(ByteBuffer.wrap(bytes, done, chunk), offset + done);
                if (count < 0) {
                    throw new EOFException();
                }
                done += count;
            }
        }
        return bytes;
    }

    private static MainstayException missing(String name, @Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.STORE_OBJECT_MISSING, "object '" + name + "' is missing", cause);
    }

    @Override
    public Optional<Long> size(String name) {
        try {
            return folders.object(folders.resolve(ObjectName.check(name)))
                    .map(BasicFileAttributes::size);
        } catch (IOException failure) {
            throw Failures.translate("cannot look for '" + name + "'", failure);
        }
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        ObjectName.checkPrefix(prefix);
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit);
        }
        try {
            return Listing.read(folders, prefix, after, limit);
        } catch (IOException failure) {
            throw Failures.translate("cannot list '" + prefix + "'", failure);
        }
    }

    @Override
    public DeleteOutcome delete(String name) {
        Path file = folders.resolve(ObjectName.check(name));
        try {
            if (folders.object(file).isEmpty()) {
                return DeleteOutcome.ABSENT;
            }
            Files.delete(file);
        } catch (NoSuchFileException _) {
            folders.verifyRoot();
            return DeleteOutcome.ABSENT;
        } catch (IOException failure) {
            if (Failures.isRefusal(failure)) {
                return DeleteOutcome.REFUSED;
            }
            throw Failures.translate("cannot delete '" + name + "'", failure);
        }
        folders.prune(DirectorySync.parent(file));
        return DeleteOutcome.DELETED;
    }

    @Override
    public void close() {}
}
