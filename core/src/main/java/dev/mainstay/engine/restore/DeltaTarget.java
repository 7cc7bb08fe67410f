package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.ServerVersion;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/// Judges whether a directory may be rewritten in place: no server is on it, it is a data
/// directory, and of the very cluster that the backup is of. So are its tablespaces.
final class DeltaTarget {
    private static final int VERSION_LIMIT = 64;
    private static final int CONTROL_LIMIT = 1 << 16;
    private static final String VERSION = "PG_VERSION";
    private static final String OTHER_HINT =
            "name the directory of the cluster that the backup is of, or restore into an empty one";

    private DeltaTarget() {}

    /// Whether there is nothing yet, so that a plain restore does.
    static boolean isFree(Path directory) {
        return TargetDirectory.isFree(directory);
    }

    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_DIRECTORY_UNSAFE,
    ///   RESTORE_OTHER_CLUSTER, RESTORE_TABLESPACE
    static void demand(RestorePlan plan) {
        demandStopped(plan.request().directory());
        demandOurs(plan);
    }

    /// The same, server or not.
    static void demandOurs(RestorePlan plan) {
        Path directory = plan.request().directory();
        try (HeldDirectory held = HeldDirectory.open(directory)) {
            demandCluster(held, plan);
            demandTablespaces(held.path(), plan);
        } catch (NoSuchFileException | NotDirectoryException none) {
            throw unsafe(directory + " is no directory", none);
        } catch (IOException unreadable) {
            throw unsafe("cannot look into " + directory + ": " + unreadable, unreadable);
        }
    }

    /// Neither a server nor what one may have left behind when it was killed.
    static void demandStopped(Path directory) {
        PostgresServer.runningPid(directory)
                .ifPresent(
                        pid -> {
                            throw running("server " + pid + " is running on " + directory);
                        });
        orphan(directory)
                .ifPresent(
                        pid -> {
                            throw running(
                                    "process "
                                            + pid
                                            + " of a server that was killed still works on "
                                            + directory);
                        });
    }

    private static MainstayException running(String message) {
        return new MainstayException(ErrorCode.RESTORE_SERVER_RUNNING, message);
    }

    /// Servers and their children work in their data directory.
    private static Optional<String> orphan(Path directory) {
        try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
            Path real = directory.toRealPath();
            return processes
                    .filter(process -> isServerOn(process, real))
                    .map(process -> process.getFileName().toString())
                    .findFirst();
        } catch (IOException noProcFileSystem) {
            return Optional.empty();
        }
    }

    private static boolean isServerOn(Path process, Path real) {
        try {
            return Character.isDigit(process.getFileName().toString().charAt(0))
                    && Files.readSymbolicLink(process.resolve("cwd")).equals(real)
                    && Files.readString(process.resolve("comm"), StandardCharsets.ISO_8859_1)
                            .startsWith("postgres");
        } catch (IOException | SecurityException goneOrNotOurs) {
            return false;
        }
    }

    private static void demandCluster(HeldDirectory held, RestorePlan plan) throws IOException {
        if (held.has(ClusterMove.JOURNAL)) {
            throw unsafe(
                    held.path() + " was being set aside or put back; finish that with --undo",
                    null);
        }
        SystemId expected = plan.details().systemId();
        Optional<SystemId> interrupted = DeltaMark.of(held);
        if (interrupted.isPresent()) {
            demandSame(held.path(), interrupted.get(), expected);
            return;
        }
        if (HalfRestore.find(held.path()).isPresent()) {
            return; // all there is came from a restore, and no server ever ran on it
        }
        Optional<byte[]> control = control(held.path());
        if (control.isPresent()) {
            demandSame(held.path(), systemId(control.get()), expected);
        }
        demandVersion(held, plan, control.isPresent());
    }

    /// Also of a damaged file: what identifies the cluster stands at its beginning.
    private static SystemId systemId(byte[] control) {
        try {
            return ControlFile.parse(control).systemId();
        } catch (MainstayException damaged) {
            long id = 0;
            for (int i = Long.BYTES - 1; i >= 0; i--) {
                id = id << Byte.SIZE | control[i] & 0xFF;
            }
            return SystemId.of(id);
        }
    }

    private static Optional<byte[]> control(Path directory) throws IOException {
        try (HeldDirectory global = HeldDirectory.open(directory.resolve("global"))) {
            boolean inside = global.path().equals(directory.resolve("global"));
            return inside
                    ? global.read("pg_control", CONTROL_LIMIT)
                            .filter(bytes -> bytes.length >= Long.BYTES)
                    : Optional.empty();
        } catch (NoSuchFileException | NotDirectoryException absent) {
            return Optional.empty();
        }
    }

    private static void demandSame(Path directory, SystemId found, SystemId expected) {
        if (!found.equals(expected)) {
            throw other(
                    directory
                            + " is a cluster with system identifier "
                            + found
                            + ", the backup is of "
                            + expected);
        }
    }

    /// A directory of a database has the file too, but not what is beside it here.
    private static void demandVersion(HeldDirectory held, RestorePlan plan, boolean identified)
            throws IOException {
        Optional<String> version =
                held.read(VERSION, VERSION_LIMIT)
                        .map(bytes -> new String(bytes, StandardCharsets.US_ASCII).strip());
        boolean cluster = version.isPresent() && held.hasDirectory("base") && held.has("global");
        if (!cluster && !identified) {
            throw unsafe(
                    held.path() + " is neither empty nor the data directory of a cluster", null);
        }
        String major =
                Integer.toString(
                        ServerVersion.ofServerVersionNum(plan.details().server().versionNum())
                                .major());
        if (!identified && !version.orElse("").equals(major)) {
            throw other(
                    held.path()
                            + " is of PostgreSQL "
                            + version.orElse("")
                            + ", the backup of "
                            + major);
        }
    }

    private static MainstayException other(String message) {
        return new MainstayException(ErrorCode.RESTORE_OTHER_CLUSTER, message, OTHER_HINT, null);
    }

    private static void demandTablespaces(Path data, RestorePlan plan) throws IOException {
        Set<Path> taken = new HashSet<>();
        for (Tablespace tablespace : plan.tablespaces()) {
            Path to = tablespace.to();
            if (!Files.exists(to)) {
                if (Files.exists(to, LinkOption.NOFOLLOW_LINKS)) {
                    throw refused(tablespace, "is a link that leads nowhere");
                }
                continue;
            }
            Path real = to.toRealPath();
            if (real.startsWith(data) || data.startsWith(real)) {
                throw refused(tablespace, "is the data directory, in it or around it");
            }
            if (!taken.add(real)) {
                throw refused(tablespace, "is that of another tablespace");
            }
            if (TargetDirectory.isFree(to)) {
                continue;
            }
            if (!isLinked(data, tablespace, real)) {
                throw refused(
                        tablespace,
                        "is not empty and not where " + data + " has this tablespace now");
            }
            demandNotOfTheSource(data, tablespace, real, plan);
        }
    }

    private static boolean isLinked(Path data, Tablespace tablespace, Path real) {
        Path link = data.resolve("pg_tblspc").resolve(tablespace.oid());
        try {
            return Files.isSymbolicLink(link) && link.toRealPath().equals(real);
        } catch (IOException leadsNowhere) {
            return false;
        }
    }

    /// The links of a copied data directory still lead to the tablespaces of the original.
    private static void demandNotOfTheSource(
            Path data, Tablespace tablespace, Path real, RestorePlan plan) {
        Path source = Path.of(plan.details().dataDirectory());
        try {
            if (source.isAbsolute()
                    && !source.toRealPath().equals(data)
                    && isLinked(source.toRealPath(), tablespace, real)) {
                throw refused(tablespace, "is that of the cluster in " + source + " as well");
            }
        } catch (IOException notOnThisHost) {
            return;
        }
    }

    private static MainstayException refused(Tablespace tablespace, String reason) {
        return new MainstayException(
                ErrorCode.RESTORE_TABLESPACE,
                "tablespace "
                        + tablespace.oid()
                        + " cannot be restored in place: "
                        + tablespace.to()
                        + " "
                        + reason,
                "map it to an empty directory: --tablespace " + tablespace.from() + "=NEW",
                null);
    }

    private static MainstayException unsafe(String message, @Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                message,
                "name the data directory of the cluster, or an empty directory",
                cause);
    }
}
