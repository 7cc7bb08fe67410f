package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.TestCluster;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;

/// A repository that can be taken away, and receivers in this process that feed it. The source is
/// called `orders`.
final class ReceiverSite implements AutoCloseable {
    static final String SLOT = "mainstay_orders";

    final AwayStore store = new AwayStore();
    final Repository repository =
            Repository.create(
                    store, Optional.of(new Credential.KeyFile(new byte[32])), Ground.ofThisHost());
    final ProtectedSource source = repository.sourceOrAdd("orders");
    final TestCluster cluster;
    final WalArchive archive;
    private final Path folder;
    private final int segmentBytes;

    /// @param folder for spools
    ReceiverSite(TestCluster cluster, Path folder) {
        this.cluster = cluster;
        this.folder = folder;
        this.archive = source.wal(system(), 1);
        this.segmentBytes =
                ControlFile.read(cluster.dataDirectory(), _ -> {}).layout().walSegmentSizeBytes();
    }

    SystemId system() {
        return ControlFile.read(cluster.dataDirectory(), _ -> {}).systemId();
    }

    static Lsn flushed(TestCluster server) {
        return Lsn.parse(server.value("SELECT pg_current_wal_flush_lsn()"));
    }

    Lsn flushed() {
        return flushed(cluster);
    }

    /// About so many MiB of WAL.
    static void load(TestCluster server, int mib) {
        server.sql(
                "SELECT pg_logical_emit_message(false, 'load', repeat(md5(random()::text),"
                        + " 1000)) FROM generate_series(1, "
                        + 33 * mib
                        + ")",
                "SELECT pg_logical_emit_message(true, 'end', '')"); // its commit flushes all
    }

    void load(int mib) {
        load(cluster, mib);
    }

    /// So that the server removes all WAL that no slot keeps.
    void forget() {
        for (int i = 0; i < 2; i++) {
            load(2);
            cluster.sql("SELECT pg_switch_wal()", "CHECKPOINT");
        }
    }

    Optional<Lsn> slot(TestCluster server) {
        return server.rows("postgres", "SELECT restart_lsn FROM pg_replication_slots").stream()
                .map(Lsn::parse)
                .findFirst();
    }

    WalSegment segment(TimelineId timeline, Lsn position) {
        return WalSegment.containing(timeline, position, segmentBytes);
    }

    /// What is stored from one position to another is what a server has in its files.
    void compare(TestCluster server, TimelineId timeline, Lsn from, Lsn to) {
        Path wal = server.dataDirectory().resolve("pg_wal");
        WalSegment last = segment(timeline, to.plus(-1));
        for (WalSegment next = segment(timeline, from);
                next.number() <= last.number();
                next = next.next()) {
            byte[] stored = archive.get(next).orElse(archive.parts(next));
            int upTo = (int) Math.min(segmentBytes, to.minus(next.start()));
            assertThat(stored.length).as("bytes stored of %s", next).isGreaterThanOrEqualTo(upTo);
            byte[] live = read(wal.resolve(next.fileName()));
            assertThat(Arrays.equals(stored, 0, upTo, live, 0, upTo)).as("%s", next).isTrue();
        }
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// What `mainstay wal get` would serve to a server, as files.
    Path serve(Path into) {
        WalGet get = new WalGet(source, system(), segmentBytes, true);
        for (TimelineId timeline : archive.timelines()) {
            archive.segments(
                    new WalSegment(timeline, 0, segmentBytes),
                    one -> serve(get, one.fileName(), into));
            archive.partial(timeline, segmentBytes)
                    .forEach(one -> serve(get, one.fileName(), into));
            archive.files(timeline).forEach(name -> serve(get, name, into));
        }
        ServerUser.giveToUnprivileged(into);
        return into;
    }

    private static void serve(WalGet get, String name, Path into) {
        assertThat(get.get(name, into.resolve(name))).as(name).isTrue();
    }

    ClusterBackup.Result backUp(TestCluster server) {
        PostgresSettings settings =
                new PostgresSettings(
                        url(server),
                        Optional.empty(),
                        Optional.of(server.dataDirectory()),
                        settings("spool", ByteSize.mib(64)),
                        2,
                        PostgresSettings.DEFAULT_FULL_READ_EVERY);
        RepositorySettings storing =
                new RepositorySettings("memory", Optional.empty(), true, 1, ByteSize.mib(8));
        return new ClusterBackup(
                        source,
                        storing,
                        settings,
                        ConnectionSpec.parse(url(server), Map.of()),
                        Progress.none())
                .run(
                        new ClusterBackup.Request(
                                ClusterBackup.Request.Type.AUTO,
                                Duration.ofSeconds(30),
                                Waiter.sleeping(Duration.ofMillis(20))));
    }

    private static String url(TestCluster server) {
        return "postgresql://"
                + TestCluster.SUPERUSER
                + "@127.0.0.1:"
                + server.port()
                + "/postgres";
    }

    ReceiverSettings settings(String spool, ByteSize limit) {
        return new ReceiverSettings(
                folder.resolve(spool),
                limit,
                SLOT,
                Duration.ofMillis(100),
                Duration.ofMillis(100),
                false);
    }

    Receiving receive(TestCluster server) {
        return receive(server, "spool", ByteSize.mib(64));
    }

    /// From a server that is not there.
    Receiving receiveFromNobody() {
        return new Receiving(
                source,
                "postgresql://nobody@127.0.0.1:1/postgres",
                settings("spool", ByteSize.mib(64)));
    }

    Receiving receive() {
        return receive(cluster);
    }

    Receiving receive(TestCluster server, String spool, ByteSize limit) {
        return new Receiving(source, url(server), settings(spool, limit));
    }

    @Override
    public void close() {
        store.away = false;
        repository.close();
    }

    /// A receiver on a thread of its own.
    static final class Receiving implements AutoCloseable {
        private final AtomicReference<@Nullable ReceiverStatus> status = new AtomicReference<>();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final List<String> notes = new CopyOnWriteArrayList<>();
        private final Thread thread;

        Receiving(ProtectedSource source, String url, ReceiverSettings settings) {
            WalReceiver receiver =
                    new WalReceiver(
                            source,
                            ConnectionSpec.parse(url, Map.of()),
                            settings,
                            1,
                            new Notes(notes),
                            Duration.ofMillis(50),
                            status::set);
            thread =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        try {
                                            receiver.run();
                                        } catch (Throwable failed) {
                                            failure.set(failed);
                                        }
                                    });
        }

        List<String> notes() {
            return notes;
        }

        Lsn stored() {
            ReceiverStatus now = status.get();
            return now == null ? Lsn.NONE : now.stored();
        }

        void awaitStored(Lsn position) {
            await("everything up to " + position, () -> !stored().isBefore(position));
        }

        void awaitSpooled(Lsn position) {
            await(
                    "everything up to " + position + " in the spool",
                    () -> {
                        ReceiverStatus now = status.get();
                        return now != null && !now.spooled().isBefore(position);
                    });
        }

        void awaitNote(String... parts) {
            await(
                    "'" + String.join(" ", parts) + "'",
                    () -> notes.stream().anyMatch(note -> hasAll(note, parts)));
        }

        private static boolean hasAll(String note, String... parts) {
            return Arrays.stream(parts).allMatch(note::contains);
        }

        void await(String what, java.util.concurrent.Callable<Boolean> condition) {
            try {
                Await.until(
                        what,
                        Duration.ofSeconds(40),
                        () -> {
                            if (condition.call()) {
                                return true;
                            }
                            if (!thread.isAlive()) {
                                throw new AssertionError("the receiver ended", failure.get());
                            }
                            return false;
                        });
            } catch (AssertionError late) {
                throw new AssertionError(late.getMessage() + " " + notes, late);
            }
        }

        /// The error it ends with by itself.
        MainstayException awaitFailure() {
            Await.until("the receiver to fail", Duration.ofSeconds(40), () -> !thread.isAlive());
            assertThat(failure.get()).isInstanceOf(MainstayException.class);
            return (MainstayException) java.util.Objects.requireNonNull(failure.get());
        }

        /// Stops it as a signal does.
        void stop() {
            thread.interrupt();
            Await.until("the receiver to end", Duration.ofSeconds(40), () -> !thread.isAlive());
            assertThat(failure.get()).as("%s", notes).isNull();
        }

        @Override
        public void close() {
            thread.interrupt();
            Await.until("the receiver to end", Duration.ofSeconds(40), () -> !thread.isAlive());
        }
    }

    private record Notes(List<String> lines) implements Progress {
        @Override
        public void begin(String what, long totalBytes) {}

        @Override
        public void advance(long bytes) {}

        @Override
        public void note(String line) {
            lines.add(line);
        }

        @Override
        public void end() {}
    }

    /// A store that cannot be reached while `away`.
    static final class AwayStore implements ObjectStore {
        private final ObjectStore inner = MemoryStore.create();
        volatile boolean away;

        private ObjectStore reach() {
            if (away) {
                throw new MainstayException(ErrorCode.STORE_UNAVAILABLE, "the store is away");
            }
            return inner;
        }

        @Override
        public StoreFacts facts() {
            return inner.facts();
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            return reach().put(name, content);
        }

        @Override
        public void replace(String name, ByteBuffer... content) {
            reach().replace(name, content);
        }

        @Override
        public byte[] get(String name, long offset, int length) {
            return reach().get(name, offset, length);
        }

        @Override
        public Optional<Long> size(String name) {
            return reach().size(name);
        }

        @Override
        public ListPage list(String prefix, String after, int limit) {
            return reach().list(prefix, after, limit);
        }

        @Override
        public DeleteOutcome delete(String name) {
            return reach().delete(name);
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
