package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.it.Program.Child;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A cluster, a repository on this disk, and the program between them.
final class KillSite implements AutoCloseable {
    private static final int SEGMENT_MIB = 1;
    private static final int SEGMENT = SEGMENT_MIB << 20;
    private static final Pattern STORED = Pattern.compile("stored ([0-9A-F]+/[0-9A-F]+) \\(");

    final TestCluster cluster;
    final Program program;
    final Path repository;
    final Path spool;
    private final RepositorySettings settings;
    private final ServerDirectory home = ServerDirectory.create();
    private final ControlFile control;
    private int restores;

    /// Small segments and packs, so that much happens; and no WAL kept but for the slot.
    ///
    /// @param folder for the repository, the spool and all else
    KillSite(int major, Path folder) throws IOException {
        this(major, folder, Optional.empty());
    }

    /// @param maxRate of backups over the replication protocol; empty for those of files
    KillSite(int major, Path folder, Optional<ByteSize> maxRate) throws IOException {
        cluster =
                TestCluster.create(
                        major,
                        ClusterOptions.standard()
                                .withWalSegmentMib(SEGMENT_MIB)
                                .with("wal_keep_size", "0")
                                .with("min_wal_size", "2MB"));
        control = ControlFile.read(cluster.dataDirectory(), _ -> {});
        repository = folder.resolve("repository");
        spool = folder.resolve("spool");
        Path key = folder.resolve("key");
        settings =
                new RepositorySettings(
                        "file://" + repository,
                        Optional.of(new KeySource.KeyFile(key)),
                        true,
                        1,
                        ByteSize.mib(1));
        Path configuration = folder.resolve("mainstay.yaml");
        Files.writeString(
                configuration,
                """
                repository:
                  url: file://%s
                  key: { file: %s }
                  compression: zstd:1
                  pack-size: 1MiB
                sources:
                  orders:
                    postgres:
                      url: postgresql://%s@127.0.0.1:%d/postgres
                      %s
                      process-max: 2
                      receiver: { spool: %s, status-interval: 100ms, ship-interval: 100ms }
                """
                        .formatted(
                                repository,
                                key,
                                TestCluster.SUPERUSER,
                                cluster.port(),
                                maxRate.map(rate -> "max-rate: " + rate.bytes())
                                        .orElse("data-directory: " + cluster.dataDirectory()),
                                spool));
        program = new Program(folder, configuration);
        program.run("init");
    }

    /// What another process would see.
    <T> T inSource(Function<ProtectedSource, T> question) {
        try (Repository open = RepositoryAccess.open(settings, Ground.ofThisHost())) {
            return question.apply(open.source("orders").orElseThrow());
        }
    }

    <T> T inArchive(Function<WalArchive, T> question) {
        return inSource(source -> question.apply(source.wal(control.systemId(), 1)));
    }

    List<CommittedBackup> backups() {
        return inSource(ProtectedSource::backups);
    }

    /// Everything readable, complete and continuous, says the program.
    void verify() {
        program.run("verify");
    }

    Lsn flushed() {
        return Lsn.parse(cluster.value("SELECT pg_current_wal_flush_lsn()"));
    }

    /// The position the server keeps WAL from, if there is a slot yet.
    Optional<Lsn> slot() {
        return cluster.rows("postgres", "SELECT restart_lsn FROM pg_replication_slots").stream()
                .map(Lsn::parse)
                .findFirst();
    }

    /// The furthest position that a receiver said is stored.
    static Optional<Lsn> acknowledged(Child receiver) {
        Matcher lines = STORED.matcher(receiver.output());
        Optional<Lsn> furthest = Optional.empty();
        while (lines.find()) {
            Lsn told = Lsn.parse(lines.group(1));
            if (furthest.isEmpty() || told.isAfter(furthest.get())) {
                furthest = Optional.of(told);
            }
        }
        return furthest;
    }

    static void awaitStored(Child receiver, Lsn position) {
        receiver.await(
                "everything up to " + position + " being stored",
                () -> acknowledged(receiver).filter(told -> !told.isBefore(position)).isPresent());
    }

    WalSegment segment(Lsn position) {
        return WalSegment.containing(TimelineId.of(1), position, SEGMENT);
    }

    /// A directory that does not exist yet, where a server could live.
    Path newDirectory() {
        return home.path().resolve("restored-" + ++restores);
    }

    /// One that a server may read.
    Path emptyFile() {
        Path file = home.path().resolve("empty");
        try {
            if (!Files.exists(file)) {
                Files.createFile(file);
            }
            ServerUser.giveToUnprivileged(file);
            return file;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// Restores to the end of what is stored, starts a server on it and compares.
    void restoresAs(ContentDigest expected) {
        Path directory = newDirectory();
        program.run("restore", "orders", "--to", directory.toString());
        holds(directory, expected);
        delete(directory);
    }

    /// Starts a server on a restored directory and compares.
    void holds(Path directory, ContentDigest expected) {
        try (TestCluster restored =
                TestCluster.adopt(
                        cluster.major(),
                        directory,
                        ClusterOptions.bare()
                                .with("restore_command", "cp " + archive() + "/%f %p"))) {
            restored.start();
            Await.until(
                    "the end of recovery",
                    () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
            assertThat(expected.differencesAfterRecovery(ContentDigest.of(restored))).isEmpty();
        }
    }

    /// What `mainstay wal get` would serve to a server after the newest backup.
    private Path archive() {
        Path folder = home.path().resolve("archive");
        try {
            delete(folder);
            Files.createDirectory(folder);
            inSource(
                    source -> {
                        WalSegment first = segment(newest(source));
                        WalArchive wal = source.wal(control.systemId(), 1);
                        WalGet get = new WalGet(source, control.systemId(), SEGMENT, true);
                        wal.segments(first, one -> serve(get, one, folder));
                        wal.partial(TimelineId.of(1), SEGMENT).stream()
                                .filter(one -> one.number() >= first.number())
                                .forEach(one -> serve(get, one, folder));
                        return true;
                    });
            ServerUser.giveToUnprivileged(folder);
            return folder;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static Lsn newest(ProtectedSource source) {
        return Lsn.parse(source.backups().getLast().details().string("startLsn"));
    }

    private static void serve(WalGet get, WalSegment segment, Path folder) {
        String name = segment.fileName();
        assertThat(get.get(name, folder.resolve(name))).as(name).isTrue();
    }

    /// With all that is in it; nothing happens if it does not exist.
    static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        empty(directory);
        assertThat(directory.toFile().delete()).as("%s", directory).isTrue();
    }

    /// Everything but the directory itself. Links are not followed.
    static void empty(Path directory) {
        try (Stream<Path> all = Files.walk(directory)) {
            List<Path> deepestFirst =
                    all.filter(path -> !path.equals(directory)).toList().reversed();
            for (Path path : deepestFirst) {
                Files.delete(path);
            }
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    @Override
    public void close() {
        cluster.close();
        home.close();
    }
}
