package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.it.ReceiverSite.Receiving;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What a receiver does while something it needs is away: it loses nothing, calls nothing stored
/// that is not, says what is the matter, and goes on by itself.
@ParameterizedClass
@MethodSource("versions")
class ReceiverOutageTest {
    private static final TimelineId ONE = TimelineId.of(1);
    private static final Map<Integer, TestCluster> CLUSTERS = new HashMap<>();

    private final TestCluster cluster;
    @TempDir private Path folder;

    static List<Integer> versions() {
        return Versions.selectedElse(15);
    }

    ReceiverOutageTest(int major) {
        cluster =
                CLUSTERS.computeIfAbsent(
                        major,
                        version ->
                                TestCluster.create(
                                        version,
                                        ClusterOptions.standard()
                                                .withWalSegmentMib(1)
                                                .with("wal_keep_size", "2GB")
                                                .with("max_wal_size", "4GB")));
    }

    @AfterAll
    static void stop() {
        CLUSTERS.values().forEach(TestCluster::close);
    }

    /// Every test has a repository of its own.
    @BeforeEach
    void withoutSlot() {
        cluster.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
    }

    @Test
    void atTheSpoolsLimitTheServerKeepsItsWalUntilTheRepositoryIsBack() {
        try (ReceiverSite site = new ReceiverSite(cluster, folder);
                Receiving receiving = site.receive(cluster, "spool", ByteSize.mib(6))) {
            receiving.awaitStored(site.flushed());
            Lsn begin = site.flushed();
            site.store.away = true;
            site.load(5);
            receiving.awaitNote("WARNING: MS-0703", "of at most 6.00 MiB");
            site.load(15);
            receiving.awaitNote("WARNING: MS-0101", "waits in the spool");
            receiving.awaitNote("ALARM: MS-0703", "at its limit of 6.00 MiB", "keeps its WAL");
            receiving.await(
                    "the stream to be left",
                    () -> cluster.value("SELECT count(*) FROM pg_stat_replication").equals("0"));
            Lsn told = receiving.stored();
            assertThat(site.slot(cluster).orElseThrow()).isLessThanOrEqualTo(told);
            site.store.away = false;
            assertThat(told)
                    .as("only what is stored is called stored")
                    .isLessThanOrEqualTo(site.archive.storedUpTo(site.segment(ONE, begin)));
            receiving.awaitNote("the spool has room again");
            Lsn end = site.flushed();
            receiving.awaitStored(end);
            site.compare(cluster, ONE, begin, end);
            receiving.stop();
        }
    }

    @Test
    void whatIsReceivedWhileTheRepositoryIsAwayIsStoredWhenItIsBackEvenThroughAReconnect() {
        try (ReceiverSite site = new ReceiverSite(cluster, folder);
                Receiving receiving = site.receive()) {
            receiving.awaitStored(site.flushed());
            Lsn begin = site.flushed();
            site.store.away = true;
            site.load(5);
            receiving.awaitNote("WARNING: MS-0101", "waits in the spool");
            cluster.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_replication",
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                            + " WHERE application_name = 'mainstay slot'");
            receiving.awaitNote("WARNING: MS-0501", "trying again");
            site.load(5);
            site.store.away = false;
            Lsn end = site.flushed();
            receiving.awaitStored(end);
            site.compare(cluster, ONE, begin, end);
            assertThat(receiving.notes()).noneMatch(note -> note.contains("MS-0702"));
            receiving.stop();
        }
    }

    @Test
    void oneThatIsStoppedWhileTheRepositoryIsAwaySaysWhatWaitsAndTheNextOneStoresIt() {
        try (ReceiverSite site = new ReceiverSite(cluster, folder)) {
            Lsn begin;
            try (Receiving receiving = site.receive()) {
                receiving.awaitStored(site.flushed());
                begin = site.flushed();
                site.store.away = true;
                site.load(5);
                receiving.awaitNote("WARNING: MS-0101", "waits in the spool");
                receiving.stop();
                assertThat(receiving.notes())
                        .last()
                        .asString()
                        .contains("WARNING")
                        .contains("not stored in the repository: ")
                        .contains("segments. HINT: keep the spool");
            }
            site.store.away = false;
            try (Receiving receiving = site.receive()) {
                Lsn end = site.flushed();
                receiving.awaitStored(end);
                site.compare(cluster, ONE, begin, end);
                receiving.stop();
                assertThat(receiving.notes()).noneMatch(note -> note.contains("not stored"));
            }
        }
    }

    @Test
    void whatWaitsInTheSpoolOfAServerThatIsLostIsStored() {
        try (ReceiverSite site = new ReceiverSite(cluster, folder)) {
            Lsn begin;
            Lsn end;
            try (Receiving receiving = site.receive()) {
                receiving.awaitStored(site.flushed());
                begin = site.flushed();
                site.store.away = true;
                site.load(5);
                end = site.flushed();
                receiving.awaitSpooled(end);
                receiving.stop();
            }
            site.store.away = false;
            try (Receiving receiving = site.receiveFromNobody()) {
                assertThat(receiving.awaitFailure().code()).isEqualTo(ErrorCode.SERVER_UNREACHABLE);
                receiving.awaitNote("the server is away", "is stored now, up to");
            }
            site.compare(cluster, ONE, begin, end);
            try (Receiving receiving = site.receive()) {
                site.load(3);
                end = site.flushed();
                receiving.awaitStored(end);
                site.compare(cluster, ONE, begin, end);
                receiving.stop();
            }
        }
    }

    @Test
    void aStopDoesNotWaitForAServerThatDoesNotAnswer() throws Exception {
        try (ReceiverSite site = new ReceiverSite(cluster, folder);
                Receiving receiving = site.receive()) {
            receiving.awaitStored(site.flushed());
            List<String> processes =
                    cluster.rows(
                            "postgres",
                            "SELECT pid FROM pg_stat_activity WHERE application_name IN"
                                    + " ('mainstay_orders', 'mainstay slot')");
            assertThat(processes).hasSize(2);
            assertThat(signal("-STOP", processes)).isZero();
            try {
                long begin = System.nanoTime();
                receiving.stop();
                assertThat(Duration.ofNanos(System.nanoTime() - begin))
                        .isLessThan(Duration.ofSeconds(25));
            } finally {
                int _ = signal("-CONT", processes); // those that are gone need none
            }
        }
    }

    private static int signal(String which, List<String> processes) throws Exception {
        List<String> command = new ArrayList<>(List.of("kill", which));
        command.addAll(processes);
        return new ProcessBuilder(command).start().waitFor();
    }

    @Test
    void aSecondReceiverIsRefusedAndTheFirstOneGoesOn() {
        try (ReceiverSite site = new ReceiverSite(cluster, folder);
                Receiving first = site.receive()) {
            first.awaitStored(site.flushed());
            try (Receiving sameSpool = site.receive()) {
                MainstayException refused = sameSpool.awaitFailure();
                assertThat(refused.code()).isEqualTo(ErrorCode.WAL_RECEIVER_RUNS);
                assertThat(refused).hasMessageContaining("uses the spool");
            }
            try (Receiving second = site.receive(cluster, "other", ByteSize.mib(64))) {
                MainstayException refused = second.awaitFailure();
                assertThat(refused.code()).isEqualTo(ErrorCode.WAL_RECEIVER_RUNS);
                assertThat(refused).hasMessageContaining("streams as mainstay_orders: process");
            }
            int notes = first.notes().size();
            site.load(3);
            first.awaitStored(site.flushed());
            assertThat(first.notes()).hasSize(notes);
            first.stop();
        }
    }

    @Test
    void aSpoolLimitThatOneSegmentWouldReachIsRefused() {
        try (ReceiverSite site = new ReceiverSite(cluster, folder);
                Receiving receiving = site.receive(cluster, "spool", ByteSize.mib(1))) {
            MainstayException refused = receiving.awaitFailure();
            assertThat(refused.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
            assertThat(refused).hasMessageContaining("less than two of the server's WAL segments");
        }
    }
}
