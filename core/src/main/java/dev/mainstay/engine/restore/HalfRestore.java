package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What an interrupted restore left behind: a directory that has its marker and no control file,
/// and the tablespaces that are linked into it. A restore begins in empty directories only, so all
/// that is in them came from it.
public final class HalfRestore {
    private final Path directory;
    private final List<Path> tablespaces;

    private HalfRestore(Path directory, List<Path> tablespaces) {
        this.directory = directory;
        this.tablespaces = List.copyOf(tablespaces);
    }

    /// Empty if the directory holds anything else, or nothing.
    public static Optional<HalfRestore> find(Path directory) {
        boolean half =
                Files.isRegularFile(
                                directory.resolve(TargetDirectory.MARKER),
                                LinkOption.NOFOLLOW_LINKS)
                        && !Files.exists(
                                directory.resolve(ControlFile.PATH), LinkOption.NOFOLLOW_LINKS)
                        && PostgresServer.runningPid(directory).isEmpty();
        return half
                ? Optional.of(new HalfRestore(directory, tablespaces(directory)))
                : Optional.empty();
    }

    private static List<Path> tablespaces(Path directory) {
        List<Path> found = new ArrayList<>();
        Path links = directory.resolve("pg_tblspc");
        if (!Files.isDirectory(links, LinkOption.NOFOLLOW_LINKS)) {
            return found;
        }
        RestoreFiles.attempt(
                "look into " + links,
                () -> {
                    try (DirectoryStream<Path> children = Files.newDirectoryStream(links)) {
                        for (Path link : children) {
                            if (Files.isSymbolicLink(link)
                                    && Files.isDirectory(Files.readSymbolicLink(link))) {
                                found.add(Files.readSymbolicLink(link));
                            }
                        }
                    }
                });
        found.sort(null);
        return found;
    }

    /// Everything in them is deleted by [#remove].
    public List<Path> directories() {
        List<Path> all = new ArrayList<>(List.of(directory));
        all.addAll(tablespaces);
        return all;
    }

    /// Deletes what is in the directories, not the directories themselves. The marker goes last, so
    /// that what is left by an interruption is known again.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE with nothing deleted, if that restore is
    ///   still under way or there is something in a tablespace that no restore puts there;
    ///   RESTORE_WRITE_FAILED
    public void remove() {
        RestoreFiles.attempt(
                "remove the interrupted restore in " + directory,
                () -> {
                    try (RestoreMarker _ = RestoreMarker.take(directory)) {
                        removeAll();
                    }
                });
    }

    private void removeAll() throws IOException {
        if (Files.exists(directory.resolve(ControlFile.PATH), LinkOption.NOFOLLOW_LINKS)) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    "the restore into " + directory + " has become complete");
        }
        tablespaces.forEach(HalfRestore::demandOurs);
        for (Path tablespace : tablespaces) {
            empty(tablespace, tablespace);
        }
        Path marker = directory.resolve(TargetDirectory.MARKER);
        empty(directory, marker);
        Files.delete(marker);
    }

    private static void demandOurs(Path tablespace) {
        RestoreFiles.attempt(
                "look into " + tablespace,
                () -> {
                    try (DirectoryStream<Path> children = Files.newDirectoryStream(tablespace)) {
                        for (Path child : children) {
                            if (!child.getFileName().toString().startsWith("PG_")) {
                                throw new MainstayException(
                                        ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                                        child + " was not put there by the interrupted restore",
                                        "look what it is, and remove the directories by hand",
                                        null);
                            }
                        }
                    }
                });
    }

    /// Links are deleted, not followed.
    private static void empty(Path directory, Path kept) throws IOException {
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                            throws IOException {
                        if (!file.equals(kept)) {
                            Files.delete(file);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path visited, @org.jspecify.annotations.Nullable IOException failed)
                            throws IOException {
                        if (failed != null) {
                            throw failed;
                        }
                        if (!visited.equals(directory)) {
                            Files.delete(visited);
                        }
                        return FileVisitResult.CONTINUE;
                    }
                });
    }
}
