package dev.mainstay.testkit;

import dev.mainstay.postgres.cluster.ServerUser;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/// Makes the data directory of a standby by copying files during a low-level backup. Independent of
/// the code under test on purpose. WAL is not copied: the standby's slot makes the primary keep it.
final class StandbyCopy {
    /// Emptied by every backup (or, pg_wal, fetched by streaming).
    private static final Set<String> CONTENT_LEFT_OUT =
            Set.of(
                    "pg_wal",
                    "pg_replslot",
                    "pg_dynshmem",
                    "pg_stat_tmp",
                    "pg_notify",
                    "pg_subtrans");

    private static final Set<String> LEFT_OUT = Set.of("postmaster.pid", "postmaster.opts");

    private final TestCluster primary;
    private final String name;

    private StandbyCopy(TestCluster primary, String name) {
        this.primary = primary;
        this.name = name;
    }

    static StandbyCopy of(TestCluster primary, String name) {
        return new StandbyCopy(primary, name);
    }

    void into(Path target) throws SQLException, IOException {
        boolean old = primary.major() < 15;
        try (Connection connection = primary.connect();
                Statement sql = connection.createStatement()) {
            sql.execute("SELECT pg_create_physical_replication_slot('" + name + "', true)");
            sql.execute(
                    old
                            ? "SELECT pg_start_backup('standby', true, false)"
                            : "SELECT pg_backup_start('standby', true)");
            copyTree(primary.dataDirectory(), target);
            String stop = old ? "pg_stop_backup(false, false)" : "pg_backup_stop(false)";
            try (ResultSet result = sql.executeQuery("SELECT labelfile FROM " + stop)) {
                result.next();
                Files.writeString(target.resolve("backup_label"), result.getString(1));
            }
        }
        Files.createDirectories(target.resolve("pg_wal/archive_status"));
        Files.createFile(target.resolve("standby.signal"));
        Files.writeString(
                target.resolve("postgresql.auto.conf"),
                "primary_conninfo = 'host=127.0.0.1 port="
                        + primary.port()
                        + " user="
                        + TestCluster.SUPERUSER
                        + primary.options().password().map(p -> " password=" + p).orElse("")
                        + " application_name="
                        + name
                        + "'\nprimary_slot_name = '"
                        + name
                        + "'\n",
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        ServerUser.giveToUnprivileged(target);
    }

    private static void copyTree(Path from, Path to) throws IOException {
        Files.walkFileTree(
                from,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes a)
                            throws IOException {
                        Path made = to.resolve(from.relativize(dir));
                        if (!dir.equals(from)) {
                            Files.createDirectory(made);
                        }
                        Files.setPosixFilePermissions(made, Files.getPosixFilePermissions(dir));
                        Path name = from.relativize(dir);
                        return CONTENT_LEFT_OUT.contains(name.toString())
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                            throws IOException {
                        Path name = from.relativize(file);
                        if (LEFT_OUT.contains(name.toString())) {
                            return FileVisitResult.CONTINUE;
                        }
                        if (a.isSymbolicLink()) {
                            copyTablespace(file, to.resolve(name));
                            return FileVisitResult.CONTINUE;
                        }
                        try {
                            Files.copy(file, to.resolve(name), StandardCopyOption.COPY_ATTRIBUTES);
                        } catch (NoSuchFileException droppedMeanwhile) {
                            return FileVisitResult.CONTINUE;
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e)
                            throws IOException {
                        if (e instanceof NoSuchFileException) {
                            return FileVisitResult.CONTINUE;
                        }
                        throw e;
                    }
                });
    }

    /// A tablespace of the standby lies beside its data directory.
    private static void copyTablespace(Path link, Path newLink) throws IOException {
        Path data = newLink.resolve("../..").normalize();
        Path target = data.resolveSibling("tablespace-" + newLink.getFileName());
        Files.createDirectory(target);
        copyTree(link.toRealPath(), target);
        ServerUser.giveToUnprivileged(target);
        if (!Files.exists(newLink, LinkOption.NOFOLLOW_LINKS)) {
            Files.createSymbolicLink(newLink, target);
        }
    }
}
