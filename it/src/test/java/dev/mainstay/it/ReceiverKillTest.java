package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.WalSegment;
import dev.mainstay.it.KillCampaign.Round;
import dev.mainstay.it.KillCampaign.Subject;
import dev.mainstay.it.Program.Child;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/// Wherever `wal receive` is killed, and even if its spool is lost: what it or the slot called
/// stored is in the repository, and the next one goes on without a gap.
class ReceiverKillTest {
    /// Files that come and go in the spool and the repository while a receiver catches up and
    /// follows.
    private static final int EVENTS = 90;

    private static final Duration START = Duration.ofMillis(1500);
    private static final Duration PAUSE = Duration.ofMillis(20);
    private static final Duration GAP = Duration.ofMillis(30);

    /// Points after which a backup is taken and restored.
    private static final int CHAPTER = 12;

    @TempDir private Path folder;

    private enum SpoolFate {
        KEPT,
        EMPTIED,
        REMOVED
    }

    static List<Round> rounds() {
        return KillCampaign.rounds(Subject.RECEIVER);
    }

    @ParameterizedTest
    @MethodSource("rounds")
    void aKilledReceiverLosesNothingThatWasAcknowledgedNorDoesTheLossOfItsSpool(Round round)
            throws Exception {
        KillCampaign campaign = new KillCampaign(round);
        Random random = round.random();
        try (KillSite site = new KillSite(round.major(), folder);
                Workload workload = Workload.of(site.cluster, round.seed())) {
            Server server = new Server(site, workload);
            try (Child receiver = site.program.start("wal", "receive", "orders")) {
                receiver.await("a slot", () -> site.slot().isPresent());
                server.first = site.segment(site.slot().orElseThrow());
                server.checked = server.first;
                site.program.run("backup", "orders");
            }
            for (int n = 0; n < round.points(); n++) {
                SpoolFate fate =
                        SpoolFate.values()[
                                Math.floorMod(round.seed() + n, SpoolFate.values().length)];
                KillPoint point = point(n, round.points(), random);
                String where =
                        "point " + n + " of " + round + ": killed " + point + ", spool " + fate;
                try {
                    server.write(12);
                    kill(server, point, campaign);
                    lose(site.spool, fate);
                    server.forget();
                    boolean chapter = n % CHAPTER == CHAPTER - 1 || n == round.points() - 1;
                    goOn(server, n, chapter);
                } catch (RuntimeException | Error failed) {
                    throw new AssertionError(where, failed);
                }
            }
        }
        campaign.tell();
        assertThat(campaign.count()).isEqualTo(round.points());
    }

    private static KillPoint point(int number, int count, Random random) {
        int event = (int) ((number + random.nextDouble()) / count * EVENTS);
        Duration most = event == 0 ? START : GAP;
        return new KillPoint(
                event, Duration.ofNanos((long) (random.nextDouble() * most.toNanos())));
    }

    private static void kill(Server server, KillPoint point, KillCampaign campaign) {
        KillSite site = server.site;
        Watch watch =
                Watch.all(
                        List.of(
                                new Watch.Names(folder(site.spool), List.of("spool"), _ -> true),
                                new Watch.Names(
                                        site.repository,
                                        List.of("wal", "parts", "summaries"),
                                        _ -> true)));
        Optional<Lsn> told;
        try (Child receiver = site.program.start("wal", "receive", "orders");
                Writing _ = new Writing(PAUSE, () -> server.write(1))) {
            assertThat(point.kill(receiver, watch)).as("%s", receiver).isTrue();
            told = KillSite.acknowledged(receiver);
        }
        campaign.killed(watch.last());
        Lsn slot = site.slot().orElseThrow();
        Lsn acknowledged = told.filter(position -> position.isAfter(slot)).orElse(slot);
        Lsn stored = site.inArchive(archive -> archive.storedUpTo(server.first));
        assertThat(stored)
                .as("stored, where the receiver said %s and the slot is at %s", told, slot)
                .isGreaterThanOrEqualTo(acknowledged);
        server.comparePart(site.segment(stored));
    }

    private static Path folder(Path spool) {
        return spool.resolveSibling("");
    }

    private static void lose(Path spool, SpoolFate fate) {
        switch (fate) {
            case KEPT -> {}
            case EMPTIED -> {
                try (Stream<Path> files = Files.walk(spool)) {
                    for (Path file : files.filter(Files::isRegularFile).toList()) {
                        Files.delete(file);
                    }
                } catch (IOException failed) {
                    throw new UncheckedIOException(failed);
                }
            }
            case REMOVED -> KillSite.delete(spool);
        }
    }

    /// The next receiver catches up; what is stored is what the server wrote.
    private static void goOn(Server server, int number, boolean chapter) {
        KillSite site = server.site;
        try (Child receiver = site.program.start("wal", "receive", "orders")) {
            KillSite.awaitStored(receiver, site.flushed());
            server.compareSegments();
            if (chapter) {
                site.program.run("backup", "orders");
                server.write(4);
                ContentDigest content = ContentDigest.of(site.cluster);
                KillSite.awaitStored(receiver, site.flushed());
                assertThat(receiver.kill()).isTrue();
                site.verify();
                site.restoresAs(content);
            } else if (number % 2 == 0) {
                receiver.stop();
            }
        }
    }

    /// The server's side: what it writes, what it keeps for comparison, and what it forgets.
    private static final class Server {
        private final KillSite site;
        private final TestCluster cluster;
        private final Workload workload;
        private final Path reference;
        private WalSegment first = new WalSegment(dev.mainstay.base.TimelineId.of(1), 0, 1 << 20);
        private WalSegment checked = first;

        Server(KillSite site, Workload workload) {
            this.site = site;
            this.cluster = site.cluster;
            this.workload = workload;
            this.reference = cluster.home().directory("reference");
            String file = reference + "/%f";
            cluster.configure(
                    Map.of(
                            "archive_mode",
                            "on",
                            "archive_command",
                            "cp %p " + file + "~ && mv " + file + "~ " + file));
            cluster.restart();
        }

        /// About so many MiB of WAL, and some transactions.
        void write(int mib) {
            workload.run(mib);
            cluster.sql(
                    "SELECT pg_logical_emit_message(false, 'load', repeat(md5(random()::text),"
                            + " 32000)) FROM generate_series(1, "
                            + mib
                            + ")");
        }

        /// Whatever the slot does not keep is removed from the server's own WAL.
        void forget() {
            cluster.sql("SELECT pg_switch_wal()", "CHECKPOINT");
            write(2);
            cluster.sql("SELECT pg_switch_wal()", "CHECKPOINT");
        }

        /// Each complete segment that was not looked at before.
        void compareSegments() {
            WalSegment end = site.segment(site.flushed());
            site.inArchive(
                    archive -> {
                        while (checked.number() < end.number()) {
                            Path file = reference.resolve(checked.fileName());
                            Await.until(file + " being there", () -> Files.exists(file));
                            assertThat(archive.get(checked))
                                    .as("segment %s", checked)
                                    .hasValueSatisfying(
                                            stored ->
                                                    assertThat(Arrays.equals(stored, read(file)))
                                                            .isTrue());
                            checked = checked.next();
                        }
                        return true;
                    });
        }

        /// What is stored of a segment that is not finished is what the server has there.
        void comparePart(WalSegment segment) {
            byte[] part = site.inArchive(archive -> archive.parts(segment));
            byte[] live =
                    read(cluster.dataDirectory().resolve("pg_wal").resolve(segment.fileName()));
            assertThat(Arrays.equals(part, 0, part.length, live, 0, part.length))
                    .as("%d bytes of segment %s", part.length, segment)
                    .isTrue();
        }

        private static byte[] read(Path file) {
            try {
                return Files.readAllBytes(file);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }
    }
}
