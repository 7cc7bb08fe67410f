package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// The server programs (`postgres`, `initdb`, `pg_ctl`) that are published as jars holding a
/// compressed tar archive.
public final class ServerBinaries {
    private final Path directory;

    private ServerBinaries(Path directory) {
        this.directory = directory;
    }

    /// Programs of an installation that is already there.
    ///
    /// @param directory holds `bin`
    public static ServerBinaries installed(Path directory) {
        return new ServerBinaries(directory);
    }

    /// Unpacks `archive` into `directory` unless that exists already. The directory appears
    /// complete or not at all, and any number of processes may ask for it at the same time. One
    /// that belongs to another user is refused, since its programs would run with our rights.
    ///
    /// @throws MainstayException DEMO_BINARIES_MISSING if the archive is absent or holds no server
    public static ServerBinaries unpack(Path archive, Path directory) {
        if (!Files.isRegularFile(archive)) {
            throw new MainstayException(
                    ErrorCode.DEMO_BINARIES_MISSING, "there are no server binaries at " + archive);
        }
        try {
            if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
                unpackAside(archive, directory);
            }
            demandOwn(directory);
            return new ServerBinaries(directory);
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.DEMO_BINARIES_MISSING,
                    "cannot unpack " + archive + " into " + directory + ": " + e,
                    "free space or fix permissions there",
                    e);
        }
    }

    /// Holds the programs.
    public Path binDirectory() {
        return directory.resolve("bin");
    }

    /// Makes a new cluster in `dataDirectory`, with the rights of that directory's owner.
    ///
    /// @param arguments of `initdb`, all but the directory
    /// @throws MainstayException SERVER_START_FAILED with what initdb said
    public void initdb(Path dataDirectory, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(binDirectory().resolve("initdb").toString());
        command.addAll(List.of("-D", dataDirectory.toString()));
        command.addAll(arguments);
        try {
            Process process =
                    ServerUser.of(dataDirectory).process(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String said =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new MainstayException(
                        ErrorCode.SERVER_START_FAILED,
                        "initdb failed in " + dataDirectory + ":\n" + said.strip(),
                        "correct what initdb complains about",
                        null);
            }
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.SERVER_START_FAILED, "cannot run " + command + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "interrupted during initdb", e);
        }
    }

    private static void unpackAside(Path archive, Path directory) throws IOException {
        Path parent = directory.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IOException("not a directory to unpack into: " + directory);
        }
        Files.createDirectories(parent);
        Path aside = Files.createTempDirectory(parent, "." + directory.getFileName() + "-");
        try {
            unpackJar(archive, aside);
            Files.setPosixFilePermissions(aside, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.move(aside, directory, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
                throw e;
            } // else another process was faster, and its directory is as good as ours
        } finally {
            deleteTree(aside);
        }
    }

    private static void unpackJar(Path archive, Path into) throws IOException {
        try (ZipFile jar = new ZipFile(archive.toFile())) {
            ZipEntry inner =
                    jar.stream()
                            .filter(entry -> entry.getName().endsWith(".txz"))
                            .findFirst()
                            .orElseThrow(() -> new IOException("it holds no .txz archive"));
            try (InputStream raw = jar.getInputStream(inner);
                    XZInputStream plain = new XZInputStream(new BufferedInputStream(raw, 1 << 16));
                    TarArchiveInputStream tar = new TarArchiveInputStream(plain)) {
                for (TarArchiveEntry entry = tar.getNextEntry();
                        entry != null;
                        entry = tar.getNextEntry()) {
                    unpackEntry(tar, entry, into);
                }
            }
        }
        if (!Files.isRegularFile(into.resolve("bin/postgres"))) {
            throw new IOException("it holds no bin/postgres");
        }
    }

    private static void unpackEntry(TarArchiveInputStream tar, TarArchiveEntry entry, Path into)
            throws IOException {
        Path target = into.resolve(entry.getName()).normalize();
        if (!target.startsWith(into)) {
            throw new IOException("it holds a name that leads outside: " + entry.getName());
        }
        if (entry.isDirectory()) {
            openDirectories(into, target);
            return;
        }
        openDirectories(into, target.resolve("..").normalize());
        if (entry.isSymbolicLink()) {
            Path link = target.resolveSibling(entry.getLinkName()).normalize();
            if (!link.startsWith(into)) {
                throw new IOException("it holds a link that leads outside: " + entry.getName());
            }
            Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
        } else if (entry.isFile()) {
            Files.copy(tar, target);
            Files.setPosixFilePermissions(target, permissions(entry.getMode()));
        } else {
            throw new IOException("it holds neither file, directory nor link: " + entry.getName());
        }
    }

    /// Directories that everybody may read, whatever the umask: the server may be another user.
    private static void openDirectories(Path root, Path directory) throws IOException {
        Path level = root;
        for (Path name : root.relativize(directory)) {
            level = level.resolve(name);
            if (!Files.isDirectory(level, LinkOption.NOFOLLOW_LINKS)) {
                Files.createDirectory(level);
                Files.setPosixFilePermissions(level, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
        }
    }

    private static Set<PosixFilePermission> permissions(int mode) {
        StringBuilder text = new StringBuilder();
        for (int bit = 8; bit >= 0; bit--) {
            text.append((mode >> bit & 1) == 1 ? "xwr".charAt(bit % 3) : '-');
        }
        return PosixFilePermissions.fromString(text.toString());
    }

    private static void demandOwn(Path directory) throws IOException {
        Object owner = Files.getAttribute(directory, "unix:uid", LinkOption.NOFOLLOW_LINKS);
        Object self = ServerUser.selfUid();
        if (!owner.equals(self) || !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException("it is no directory of this user");
        }
    }

    private static void deleteTree(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (Stream<Path> all = Files.walk(tree)) {
            all.sorted(Comparator.reverseOrder())
                    .forEach(
                            file -> {
                                try {
                                    Files.deleteIfExists(file);
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            });
        }
    }
}
