package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.BackupPaths.Kind;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ServerUser;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Walks through a data directory and its tablespaces and finds, or removes, whatever is not what
/// the backup has under that name. No link is ever followed. While it removes, it takes each
/// directory for its own, so that nobody can put a link into it afterwards; owners and modes come
/// back with the last steps of the restore.
final class LocalTree {
    private static final int NAMED = 20;
    private static final Set<PosixFilePermission> OWN =
            PosixFilePermissions.fromString("rwx------");

    private final RestorePlan plan;
    private final BackupPaths wanted;
    private final String versionDirectory;
    private final Optional<UserPrincipal> root;
    private boolean removing;
    private long files;
    private long directories;
    private final List<String> names = new ArrayList<>();
    private final List<String> links = new ArrayList<>();

    /// What is there that the backup does not have.
    ///
    /// @param files and links
    /// @param names of the first ones
    /// @param links that become directories or files, and where they lead
    record Surplus(long files, long directories, List<String> names, List<String> links) {}

    LocalTree(RestorePlan plan, BackupPaths wanted) {
        this.plan = plan;
        this.wanted = wanted;
        this.versionDirectory = RestoreMarks.versionDirectory(plan);
        try {
            this.root =
                    ServerUser.isRoot()
                            ? Optional.of(
                                    plan.request()
                                            .directory()
                                            .getFileSystem()
                                            .getUserPrincipalLookupService()
                                            .lookupPrincipalByName("root"))
                            : Optional.empty();
        } catch (IOException unknown) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE, "user root is not known here", unknown);
        }
    }

    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if something is there that cannot be
    ///   removed: another file system
    Surplus look(HeldDirectory data) {
        return walk(data, false);
    }

    /// Afterwards there is nothing but directories, plain files with one name and links of
    /// tablespaces that the backup has too.
    Surplus remove(HeldDirectory data) {
        return walk(data, true);
    }

    private Surplus walk(HeldDirectory data, boolean remove) {
        removing = remove;
        files = 0;
        directories = 0;
        names.clear();
        links.clear();
        RestoreFiles.attempt(
                (remove ? "remove what is not in the backup from " : "look into ") + data.path(),
                () -> {
                    try (SecureDirectoryStream<Path> in = data.stream()) {
                        directory(in, "", data.path());
                    }
                    for (Tablespace tablespace : plan.tablespaces()) {
                        tablespace(tablespace);
                    }
                });
        return new Surplus(files, directories, List.copyOf(names), List.copyOf(links));
    }

    /// Other server versions have directories of their own in the same place.
    private void tablespace(Tablespace tablespace) throws IOException {
        try (HeldDirectory held = HeldDirectory.open(tablespace.to());
                SecureDirectoryStream<Path> in = held.stream()) {
            List<String> there = new ArrayList<>(held.names());
            there.remove(versionDirectory);
            if (there.remove(RestoreMarker.NAME) && removing) {
                held.deleteFile(
                        RestoreMarker.NAME); // of a plain restore that did not come to its end
            }
            if (there.isEmpty()) {
                take(in);
            }
            if (held.has(versionDirectory)) {
                child(
                        in,
                        Path.of(versionDirectory),
                        "pg_tblspc/" + tablespace.oid() + "/" + versionDirectory,
                        held.path().resolve(versionDirectory));
            }
        } catch (NoSuchFileException notYet) {
            return;
        }
    }

    private void directory(SecureDirectoryStream<Path> in, String prefix, Path full)
            throws IOException {
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
        }
        take(in);
        try {
            for (Path each : in) {
                Path name = each.getFileName();
                if (prefix.isEmpty() && name.toString().equals(DeltaMark.NAME)) {
                    continue;
                }
                child(
                        in,
                        name,
                        prefix.isEmpty() ? name.toString() : prefix + "/" + name,
                        full.resolve(name));
            }
        } catch (DirectoryIteratorException unreadable) {
            throw unreadable.getCause();
        }
    }

    private void take(SecureDirectoryStream<Path> directory) throws IOException {
        if (!removing) {
            return;
        }
        PosixFileAttributeView view = directory.getFileAttributeView(PosixFileAttributeView.class);
        if (root.isPresent()) {
            view.setOwner(root.get());
            view.setPermissions(OWN);
        } else if (!view.readAttributes().permissions().containsAll(OWN)) {
            view.setPermissions(OWN);
        }
    }

    private void child(SecureDirectoryStream<Path> in, Path name, String path, Path full)
            throws IOException {
        PosixFileAttributes found = attributes(in, name);
        if (found.isDirectory()) {
            if (wanted.has(Kind.DIRECTORY, path)) {
                try (SecureDirectoryStream<Path> inner =
                        in.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
                    directory(inner, path, full);
                }
                return;
            }
            removeDirectory(in, name, path, full);
        } else if (found.isSymbolicLink()) {
            link(in, name, path, full);
        } else if (!found.isRegularFile() || !wanted.has(Kind.FILE, path)) {
            surplus(path);
            delete(in, name);
        } else if (isShared(full) || !isWritable(found)) {
            delete(in, name); // made again: its other names keep what they have
        }
    }

    private void link(SecureDirectoryStream<Path> in, Path name, String path, Path full)
            throws IOException {
        if (wanted.has(Kind.TABLESPACE_LINK, path)) {
            return;
        }
        if (wanted.has(Kind.DIRECTORY, path) || wanted.has(Kind.FILE, path)) {
            links.add(path + " → " + Files.readSymbolicLink(full));
        } else {
            surplus(path);
        }
        delete(in, name);
    }

    private void removeDirectory(SecureDirectoryStream<Path> in, Path name, String path, Path full)
            throws IOException {
        PosixFileAttributes around =
                in.getFileAttributeView(PosixFileAttributeView.class).readAttributes();
        String device = HeldDirectory.device(identity(around, full));
        try (SecureDirectoryStream<Path> inner =
                in.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
            PosixFileAttributes opened =
                    inner.getFileAttributeView(PosixFileAttributeView.class).readAttributes();
            if (!HeldDirectory.device(identity(opened, full)).equals(device)) {
                throw new MainstayException(
                        ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                        full + " is another file system, and the backup has no such directory",
                        "unmount it, or move it elsewhere",
                        null);
            }
            take(inner);
            for (Path each : inner) {
                Path child = each.getFileName();
                String childPath = path + "/" + child;
                if (attributes(inner, child).isDirectory()) {
                    removeDirectory(inner, child, childPath, full.resolve(child));
                } else {
                    surplus(childPath);
                    delete(inner, child);
                }
            }
        } catch (DirectoryIteratorException unreadable) {
            throw unreadable.getCause();
        }
        directories++;
        if (removing) {
            in.deleteDirectory(name);
        }
    }

    private void surplus(String path) {
        files++;
        if (names.size() < NAMED) {
            names.add(path);
        }
    }

    private void delete(SecureDirectoryStream<Path> in, Path name) throws IOException {
        if (removing) {
            in.deleteFile(name);
        }
    }

    private static PosixFileAttributes attributes(SecureDirectoryStream<Path> in, Path name)
            throws IOException {
        return in.getFileAttributeView(
                        name, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .readAttributes();
    }

    private static String identity(PosixFileAttributes attributes, Path path) throws IOException {
        Object key = attributes.fileKey();
        if (key == null) {
            throw new IOException("the file system of " + path + " does not number its files");
        }
        return key.toString();
    }

    /// To write to it would change what its other names show.
    private static boolean isShared(Path file) throws IOException {
        return !Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS)
                .equals(Integer.valueOf(1));
    }

    private boolean isWritable(PosixFileAttributes file) {
        return root.isPresent()
                || file.permissions()
                        .containsAll(
                                Set.of(
                                        PosixFilePermission.OWNER_READ,
                                        PosixFilePermission.OWNER_WRITE));
    }
}
