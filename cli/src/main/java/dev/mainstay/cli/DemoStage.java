package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.ServerBinaries;
import dev.mainstay.postgres.cluster.ServerUser;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Where the demo plays: a working directory, server programs, and the servers that were started.
/// Closing it stops and removes everything.
final class DemoStage implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Session session;
    private final boolean keep;
    private final Path folder;
    private final ServerBinaries programs;
    private final List<PostgresServer> servers = new ArrayList<>();

    private DemoStage(Session session, boolean keep, Path folder, ServerBinaries programs) {
        this.session = session;
        this.keep = keep;
        this.folder = folder;
        this.programs = programs;
    }

    static DemoStage open(Session session, boolean keep) throws IOException {
        Path archive = archive();
        Path folder = Files.createTempDirectory("mainstay-demo-").toRealPath();
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        ServerUser.giveToUnprivileged(folder);
        return new DemoStage(
                session,
                keep,
                folder,
                ServerBinaries.unpack(archive, folder.resolve("postgresql")));
    }

    /// The launcher tells where the build has put the server programs.
    private static Path archive() throws IOException {
        String place = System.getProperty("mainstay.demo.archives", "");
        if (!place.isEmpty() && Files.isDirectory(Path.of(place))) {
            try (Stream<Path> files = Files.list(Path.of(place))) {
                Optional<Path> jar =
                        files.filter(file -> file.toString().endsWith(".jar")).findFirst();
                if (jar.isPresent()) {
                    return jar.get();
                }
            }
        }
        throw new MainstayException(
                ErrorCode.DEMO_BINARIES_MISSING, "no PostgreSQL server programs are at hand");
    }

    Path folder() {
        return folder;
    }

    ServerBinaries programs() {
        return programs;
    }

    /// A new directory that the server's user may use.
    Path directory(String name) throws IOException {
        Path made = Files.createDirectory(folder.resolve(name));
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwx------"));
        ServerUser.giveToUnprivileged(made);
        return made;
    }

    PostgresServer newCluster(Path data, int port) {
        programs.initdb(
                data,
                List.of(
                        "--data-checksums",
                        "-U",
                        "postgres",
                        "-A",
                        "trust",
                        "-E",
                        "UTF8",
                        "--locale=C"));
        PostgresServer server =
                PostgresServer.of(
                        new PostgresServer.Options(
                                programs.binDirectory(),
                                data,
                                "127.0.0.1",
                                port,
                                Optional.of(folder),
                                Map.of("max_wal_size", "2GB", "wal_level", "replica"),
                                folder.resolve("server.log")));
        servers.add(server);
        server.start(PATIENCE);
        return server;
    }

    void alsoStop(PostgresServer server) {
        servers.add(server);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    static String url(int port) {
        return "postgresql://postgres@127.0.0.1:" + port + "/postgres";
    }

    PostgresSettings settings(Path data, int port) {
        return new PostgresSettings(
                url(port),
                Optional.empty(),
                Optional.of(data),
                new ReceiverSettings(
                        folder.resolve("spool"),
                        ReceiverSettings.DEFAULT_SPOOL_LIMIT,
                        "mainstay_demo",
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        false),
                2,
                PostgresSettings.DEFAULT_FULL_READ_EVERY);
    }

    @Override
    public void close() throws IOException {
        boolean interrupted = Thread.interrupted(); // cleaning up must not be cut short
        for (PostgresServer server : servers) {
            if (server.isRunning()) {
                server.stop(PostgresServer.StopMode.IMMEDIATE, PATIENCE);
            }
        }
        if (keep) {
            session.progress().note("everything was kept in " + folder);
        } else {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
