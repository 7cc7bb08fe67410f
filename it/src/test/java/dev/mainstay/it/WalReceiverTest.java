package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/// What a receiver stores is the server's WAL, without a gap, however often it is stopped.
class WalReceiverTest {
    @TempDir Path spool;

    static List<Integer> versions() {
        return Versions.selected();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void storesTheServersWalWithoutAGapThroughRestartsOfBothSides(int major) throws Exception {
        try (TestCluster cluster =
                        TestCluster.create(
                                major, ClusterOptions.standard().with("wal_keep_size", "2GB"));
                Repository repository = repository()) {
            ProtectedSource source = repository.sourceOrAdd("orders");
            ControlFile control = ControlFile.read(cluster.dataDirectory(), _ -> {});
            int size = control.layout().walSegmentSizeBytes();
            WalArchive archive = source.wal(control.systemId(), 1);
            Workload workload = Workload.of(cluster, Long.getLong("mainstay.it.seed", 11));
            Lsn begin;
            try (Receiving receiving = new Receiving(source, cluster)) {
                receiving.await(position(cluster));
                begin =
                        Lsn.parse(
                                cluster.value("SELECT min(restart_lsn) FROM pg_replication_slots"));
                workload.run(30);
                cluster.sql("SELECT pg_switch_wal()");
                workload.run(10);
                receiving.await(position(cluster));
            }
            workload.run(30); // nobody receives; the slot keeps it
            cluster.sql("SELECT pg_switch_wal()", "CHECKPOINT");
            try (Receiving receiving = new Receiving(source, cluster)) {
                receiving.await(position(cluster));
                cluster.restart();
                workload.run(10);
                receiving.await(position(cluster));
            }
            Lsn end = position(cluster);
            WalSegment first = WalSegment.containing(TimelineId.of(1), begin, size);
            WalSegment last = WalSegment.containing(TimelineId.of(1), end, size);
            Path wal = cluster.dataDirectory().resolve("pg_wal");
            for (WalSegment segment = first;
                    segment.number() < last.number();
                    segment = segment.next()) {
                WalSegment checked = segment;
                assertThat(archive.get(segment))
                        .as("segment %s", segment)
                        .hasValueSatisfying(
                                stored ->
                                        assertThat(Arrays.equals(stored, read(wal, checked)))
                                                .isTrue());
            }
            byte[] parts = archive.parts(last);
            byte[] live = read(wal, last);
            int upTo = (int) end.minus(last.start());
            assertThat(parts.length).isGreaterThanOrEqualTo(upTo);
            assertThat(Arrays.equals(parts, 0, upTo, live, 0, upTo)).isTrue();
            assertThat(archive.getSummary(first)).isPresent();
        }
    }

    private static Lsn position(TestCluster cluster) {
        return Lsn.parse(cluster.value("SELECT pg_current_wal_flush_lsn()"));
    }

    private static byte[] read(Path wal, WalSegment segment) {
        try {
            return Files.readAllBytes(wal.resolve(segment.fileName()));
        } catch (java.io.IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        }
    }

    private static Repository repository() {
        return Repository.create(
                MemoryStore.create(),
                Optional.of(new Credential.KeyFile(new byte[32])),
                Ground.ofThisHost());
    }

    /// A receiver on a thread of its own.
    final class Receiving implements AutoCloseable {
        private final AtomicReference<@Nullable ReceiverStatus> status = new AtomicReference<>();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private final List<String> notes = new ArrayList<>();
        private final Thread thread;

        Receiving(ProtectedSource source, TestCluster cluster) {
            String url =
                    "postgresql://"
                            + TestCluster.SUPERUSER
                            + "@127.0.0.1:"
                            + cluster.port()
                            + "/postgres";
            WalReceiver receiver =
                    new WalReceiver(
                            source,
                            ConnectionSpec.parse(url, Map.of()),
                            new ReceiverSettings(
                                    spool,
                                    ByteSize.mib(1024),
                                    "mainstay_orders",
                                    Duration.ofMillis(100),
                                    Duration.ofMillis(200),
                                    false),
                            1,
                            Progress.none(),
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

        void await(Lsn stored) {
            Await.until(
                    "everything up to " + stored + " is stored " + notes,
                    Duration.ofSeconds(20),
                    () -> {
                        assertThat(failure.get()).isNull();
                        ReceiverStatus now = status.get();
                        return now != null && !now.stored().isBefore(stored);
                    });
        }

        @Override
        public void close() {
            thread.interrupt();
            Await.until("the receiver ends", Duration.ofSeconds(30), () -> !thread.isAlive());
            assertThat(failure.get()).isNull();
        }
    }
}
