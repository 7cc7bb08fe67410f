package dev.mainstay.storage.local;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// The root directory of a store and the directories below it, which come and go with the objects
/// in them.
final class Folders {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            PosixFilePermissions.fromString("rwx------");

    private final Path root;
    private final @Nullable Object rootKey;

    private Folders(Path root, @Nullable Object rootKey) {
        this.root = root;
        this.rootKey = rootKey;
    }

    static Folders open(Path root) {
        try {
            Path real = root.toRealPath();
            BasicFileAttributes attributes = Files.readAttributes(real, BasicFileAttributes.class);
            if (!attributes.isDirectory()) {
                throw new MainstayException(
                        ErrorCode.STORE_REFUSED, "'" + root + "' is no directory");
            }
            return new Folders(real, attributes.fileKey());
        } catch (NoSuchFileException _) {
            throw new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE, "directory '" + root + "' does not exist");
        } catch (IOException failure) {
            throw Failures.translate("cannot open directory '" + root + "'", failure);
        }
    }

    Path root() {
        return root;
    }

    Path resolve(String name) {
        return root.resolve(name);
    }

    /// Whether the root is still the directory that was opened. After an unmount it is not, and
    /// then nothing may be called absent.
    ///
    /// @throws MainstayException STORE_UNAVAILABLE if it is not
    void verifyRoot() {
        try {
            Object now = Files.readAttributes(root, BasicFileAttributes.class).fileKey();
            if (Objects.equals(now, rootKey)) {
                return;
            }
        } catch (NoSuchFileException _) {
            throw gone(" does not exist any more");
        } catch (IOException failure) {
            throw Failures.translate("cannot reach '" + root + "'", failure);
        }
        throw gone(" is another directory than the one that was opened");
    }

    private MainstayException gone(String what) {
        return new MainstayException(
                ErrorCode.STORE_UNAVAILABLE,
                "'" + root + "'" + what,
                "was its file system unmounted? mount it and start again",
                null);
    }

    /// The attributes of the regular file of an object, or empty if there is surely none.
    Optional<BasicFileAttributes> object(Path file) throws IOException {
        try {
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            if (attributes.isRegularFile()) {
                return Optional.of(attributes);
            }
        } catch (NoSuchFileException _) {
            // Absent, if the root still stands.
        } catch (FileSystemException failure) {
            if (blocking(file).isEmpty()) {
                throw failure;
            }
        }
        verifyRoot();
        return Optional.empty();
    }

    /// The file above `file` that stands where a directory would have to be.
    Optional<Path> blocking(Path file) {
        for (Path path = DirectorySync.parent(file);
                path.startsWith(root) && !path.equals(root);
                path = DirectorySync.parent(path)) {
            // Asked once: between two questions a folder may be removed.
            Kind kind = Kind.of(path);
            if (kind != Kind.ABSENT) {
                return kind == Kind.DIRECTORY ? Optional.empty() : Optional.of(path);
            }
        }
        return Optional.empty();
    }

    /// Makes the directory and those above it. Somebody else may remove them again before they are
    /// used: then try again.
    void make(Path directory) throws IOException {
        if (directory.equals(root) || Files.isDirectory(directory)) {
            return;
        }
        make(DirectorySync.parent(directory));
        makeOne(directory);
    }

    static void makeOne(Path directory) throws IOException {
        try {
            Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        } catch (FileAlreadyExistsException there) {
            // Asked once: it may be removed by a deletion at any moment, and then is made again.
            Kind kind = Kind.of(directory);
            if (kind != Kind.DIRECTORY && kind != Kind.ABSENT) {
                throw there;
            }
            return;
        }
        Permissions.set(directory, OWNER_ONLY);
    }

    /// What a path leads to, links followed, at one instant.
    enum Kind {
        ABSENT,
        DIRECTORY,
        FILE,
        OTHER;

        static Kind of(Path path) {
            try {
                BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
                return now.isDirectory() ? DIRECTORY : now.isRegularFile() ? FILE : OTHER;
            } catch (IOException _) {
                return ABSENT;
            }
        }
    }

    /// Removes the directory and those above it as far as they are empty. Best effort: an empty
    /// directory does no harm.
    void prune(Path directory) {
        try {
            for (Path path = directory; !path.equals(root); path = DirectorySync.parent(path)) {
                Files.delete(path);
            }
        } catch (IOException _) {
            // Not empty, or already gone: somebody uses it.
        }
    }
}
