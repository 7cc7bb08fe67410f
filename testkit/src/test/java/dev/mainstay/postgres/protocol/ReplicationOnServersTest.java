package dev.mainstay.postgres.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Workload;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/// Slots, streams and timelines of real servers.
@Timeout(180)
final class ReplicationOnServersTest {
    private static final ReplicationOptions OPTIONS = ReplicationOptions.of(InstantSource.system());
    private static final ClusterOptions SMALL =
            ClusterOptions.standard().withWalSegmentMib(1).with("wal_keep_size", "512MB");

    private static ReplicationConnection open(TestCluster cluster) {
        return ReplicationConnection.open(spec(cluster), OPTIONS);
    }

    private static ConnectionSpec spec(TestCluster cluster) {
        return ConnectionSpec.parse(
                "postgresql://postgres@127.0.0.1:" + cluster.port() + "/postgres", Map.of());
    }

    private static ErrorCode codeOf(ThrowingCallable call) {
        return catchThrowableOfType(MainstayException.class, call).code();
    }

    private static Lsn lsn(TestCluster cluster, String function) {
        return Lsn.parse(cluster.value("SELECT " + function));
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void identity_settings_and_slots(int major) {
        try (TestCluster cluster = TestCluster.create(major, SMALL);
                ReplicationConnection connection = open(cluster)) {
            SystemIdentity identity = connection.identifySystem();
            assertThat(identity.systemId())
                    .isEqualTo(
                            SystemId.parse(
                                    cluster.value(
                                            "SELECT system_identifier FROM pg_control_system()")));
            assertThat(identity.timeline()).isEqualTo(TimelineId.of(1));
            assertThat(identity.database()).isEmpty();
            assertThat(connection.serverMajorVersion()).isEqualTo(major);
            assertThat(connection.show("wal_segment_size")).isEqualTo("1MB");

            connection.createPhysicalSlot("kept", true, false);
            connection.createPhysicalSlot("passing", false, true);
            assertThat(cluster.rows("postgres", "SELECT slot_name FROM pg_replication_slots"))
                    .containsExactlyInAnyOrder("kept", "passing");
            if (major >= 15) {
                SlotPosition kept = connection.readReplicationSlot("kept").orElseThrow();
                assertThat(kept.type()).isEqualTo("physical");
                assertThat(kept.restartLsn()).isPresent();
                assertThat(kept.restartTimeline()).contains(TimelineId.of(1));
                assertThat(connection.readReplicationSlot("passing").orElseThrow().restartLsn())
                        .isEmpty();
                assertThat(connection.readReplicationSlot("none")).isEmpty();
            } else {
                assertThat(codeOf(() -> connection.readReplicationSlot("kept")))
                        .isEqualTo(ErrorCode.SERVER_VERSION_UNSUPPORTED);
            }
            assertThat(
                            catchThrowableOfType(
                                            ServerException.class,
                                            () ->
                                                    connection.createPhysicalSlot(
                                                            "kept", true, false))
                                    .sqlState())
                    .isEqualTo("42710");
            // an error of the server ends temporary slots, too
            assertThat(cluster.rows("postgres", "SELECT slot_name FROM pg_replication_slots"))
                    .containsExactly("kept");
            connection.dropSlot("kept", true);
            assertThat(codeOf(() -> connection.dropSlot("kept", false)))
                    .isEqualTo(ErrorCode.SERVER_QUERY_FAILED);
            assertThat(codeOf(() -> connection.timelineHistory(TimelineId.of(1))))
                    .isIn(ErrorCode.SERVER_QUERY_FAILED);
            assertThat(connection.show("server_version")).startsWith(Integer.toString(major));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void what_is_streamed_under_load_is_what_lies_in_pg_wal(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, SMALL);
                ReplicationConnection connection = open(cluster)) {
            connection.createPhysicalSlot("s", true, false);
            WalSegment first =
                    WalSegment.containing(
                            TimelineId.of(1),
                            lsn(cluster, "restart_lsn FROM pg_replication_slots"),
                            1 << 20);
            Path copy = cluster.home().path().resolve("received");
            Lsn end;
            try (FileChannel out =
                            FileChannel.open(
                                    copy,
                                    java.nio.file.StandardOpenOption.CREATE_NEW,
                                    java.nio.file.StandardOpenOption.WRITE);
                    Workload load = Workload.of(cluster, 20261121L)) {
                WalStream stream =
                        connection.startPhysicalReplication(
                                Optional.of("s"), first.start(), TimelineId.of(1));
                load.start(2);
                Lsn enough = first.start().plus(12 << 20);
                end = receive(stream, first.start(), enough, out);
                load.pause();
                Lsn flushed = lsn(cluster, "pg_current_wal_flush_lsn()");
                end =
                        flushed.isAfter(end)
                                ? receive(stream, end, flushed, out, first.start())
                                : end;
                Lsn reported = end;
                stream.sendStatus(end, end, end, true);
                Await.until(
                        "the slot to follow",
                        () ->
                                lsn(cluster, "restart_lsn FROM pg_replication_slots")
                                        .equals(reported));
                stream.stop();
                assertThat(connection.identifySystem().timeline()).isEqualTo(TimelineId.of(1));
            }
            assertSame(cluster, Files.readAllBytes(copy), first, end);
        }
    }

    private static Lsn receive(WalStream stream, Lsn start, Lsn until, FileChannel out)
            throws IOException {
        return receive(stream, start, until, out, start);
    }

    /// Writes what comes until `until` is reached; returns how far it came.
    private static Lsn receive(WalStream stream, Lsn from, Lsn until, FileChannel out, Lsn origin)
            throws IOException {
        Lsn at = from;
        while (at.isBefore(until)) {
            switch (stream.read(Duration.ofSeconds(30))) {
                case WalMessage.WalData wal -> {
                    Lsn end = wal.end();
                    ByteBuffer data = wal.data();
                    long offset = wal.start().minus(origin);
                    while (data.hasRemaining()) {
                        offset += out.write(data, offset);
                    }
                    at = end;
                    stream.sendStatus(at, at, Lsn.NONE, false);
                }
                case WalMessage.KeepAlive alive -> {
                    assertThat(Duration.between(alive.sendTime(), Instant.now()).abs())
                            .isLessThan(Duration.ofMinutes(1));
                    if (alive.replyRequested()) {
                        stream.sendStatus(at, at, Lsn.NONE, false);
                    }
                }
                case WalMessage.TimelineEnd end -> throw new AssertionError(end.toString());
                case WalMessage.Idle idle -> throw new AssertionError(idle + " at " + at);
            }
        }
        return at;
    }

    private static void assertSame(TestCluster cluster, byte[] received, WalSegment first, Lsn end)
            throws IOException {
        WalSegment segment = first;
        while (segment.start().isBefore(end)) {
            byte[] file =
                    Files.readAllBytes(
                            cluster.dataDirectory().resolve("pg_wal").resolve(segment.fileName()));
            int offset = (int) segment.start().minus(first.start());
            int length = (int) Math.min(segment.sizeBytes(), end.minus(segment.start()));
            assertThat(Arrays.mismatch(file, 0, length, received, offset, offset + length))
                    .as("first difference in %s", segment)
                    .isEqualTo(-1);
            segment = segment.next();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void a_promotion_ends_the_timeline_and_names_the_next(int major) throws Exception {
        try (TestCluster primary = TestCluster.create(major, SMALL);
                TestCluster standby = primary.standby("two", Map.of());
                ReplicationConnection connection = open(standby)) {
            assertThat(connection.parameter("in_hot_standby")).contains("on");
            primary.sql("CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
            primary.awaitReplay(standby);
            Lsn start =
                    WalSegment.containing(
                                    TimelineId.of(1),
                                    connection.identifySystem().flushed(),
                                    1 << 20)
                            .start();
            WalStream stream =
                    connection.startPhysicalReplication(Optional.empty(), start, TimelineId.of(1));
            primary.stop();
            standby.promote();
            Lsn at = start;
            WalMessage message = stream.read(Duration.ofSeconds(30));
            while (!(message instanceof WalMessage.TimelineEnd)) {
                at = message instanceof WalMessage.WalData wal ? wal.end() : at;
                message = stream.read(Duration.ofSeconds(30));
            }
            WalMessage.TimelineEnd end = (WalMessage.TimelineEnd) message;
            assertThat(end.nextTimeline()).isEqualTo(TimelineId.of(2));
            assertThat(at).isEqualTo(end.switchLsn());
            HistoryFile history = connection.timelineHistory(end.nextTimeline());
            assertThat(history.name()).isEqualTo("00000002.history");
            assertThat(history.content())
                    .isEqualTo(
                            Files.readAllBytes(
                                    standby.dataDirectory().resolve("pg_wal/00000002.history")));
            assertThat(
                            connection
                                    .startPhysicalReplication(
                                            Optional.empty(), end.switchLsn(), TimelineId.of(1))
                                    .read(Duration.ofSeconds(30)))
                    .isEqualTo(end);
            try (WalStream next =
                    connection.startPhysicalReplication(
                            Optional.empty(), end.switchLsn(), end.nextTimeline())) {
                assertThat(next.read(Duration.ofSeconds(30)))
                        .isInstanceOf(WalMessage.WalData.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void restarts_crashes_removed_wal_and_the_future(int major) {
        ClusterOptions options = SMALL.with("wal_keep_size", "0").with("min_wal_size", "2MB");
        try (TestCluster cluster = TestCluster.create(major, options)) {
            Lsn old = lsn(cluster, "pg_current_wal_flush_lsn()");
            for (boolean crash : new boolean[] {false, true}) {
                try (ReplicationConnection connection = open(cluster)) {
                    WalStream stream =
                            connection.startPhysicalReplication(
                                    Optional.empty(),
                                    connection.identifySystem().flushed(),
                                    TimelineId.of(1));
                    Thread ending =
                            Thread.ofVirtual().start(crash ? cluster::crash : cluster::stop);
                    assertThat(codeOf(() -> readAll(stream)))
                            .isEqualTo(ErrorCode.SERVER_UNREACHABLE);
                    join(ending);
                }
                assertThat(codeOf(() -> open(cluster))).isEqualTo(ErrorCode.SERVER_UNREACHABLE);
                cluster.start();
            }
            for (int i = 0; i < 4; i++) {
                cluster.sql("SELECT pg_switch_wal()", "CREATE TABLE t" + i + " ()", "CHECKPOINT");
            }
            try (ReplicationConnection connection = open(cluster)) {
                assertThat(
                                codeOf(
                                        () ->
                                                readAll(
                                                        connection.startPhysicalReplication(
                                                                Optional.empty(),
                                                                old,
                                                                TimelineId.of(1)))))
                        .isEqualTo(ErrorCode.WAL_GAP);
            }
            try (ReplicationConnection connection = open(cluster)) {
                Lsn future = connection.identifySystem().flushed().plus(1 << 30);
                WalStream early =
                        connection.startPhysicalReplication(
                                Optional.empty(), future, TimelineId.of(1));
                assertThat(codeOf(() -> readAll(early))).isEqualTo(ErrorCode.SERVER_QUERY_FAILED);
                assertThatThrownBy(
                                () ->
                                        connection.startPhysicalReplication(
                                                Optional.of("absent"), future, TimelineId.of(1)))
                        .isInstanceOf(ServerException.class)
                        .hasMessageContaining("absent");
            }
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /// A receiver that answers everything, until it throws.
    private static void readAll(WalStream stream) {
        Lsn at = Lsn.NONE;
        while (true) {
            at =
                    switch (stream.read(Duration.ofSeconds(30))) {
                        case WalMessage.WalData wal -> wal.end();
                        case WalMessage.KeepAlive alive -> alive.serverEnd();
                        case WalMessage.TimelineEnd end -> throw new AssertionError(end.toString());
                        case WalMessage.Idle idle -> throw new AssertionError(idle.toString());
                    };
            stream.sendStatus(at, at, at, false);
        }
    }
}
