package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// archive_command and restore_command of real servers, answered by an agent that is killed at
/// seeded moments.
class AgentOnServersTest {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int SEGMENTS = 40;
    private static final int KILLS = 3;

    private static Path copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                if (!file.equals(from)) {
                    Files.copy(
                            file,
                            target,
                            StandardCopyOption.COPY_ATTRIBUTES,
                            java.nio.file.LinkOption.NOFOLLOW_LINKS);
                }
            }
        }
        return to;
    }

    /// Kills the agent after some time, several times, while something else goes on.
    ///
    /// @return how often
    private static Future<Integer> killer(AgentSite site, Random random, AtomicBoolean over) {
        FutureTask<Integer> killing =
                new FutureTask<>(
                        () -> {
                            int kills = 0;
                            while (kills < KILLS && !over.get()) {
                                LockSupport.parkNanos(
                                        random.nextLong(200_000_000L, 1_100_000_000L));
                                site.killAgent();
                                kills++;
                                LockSupport.parkNanos(random.nextLong(300_000_000L));
                                site.restartAgent();
                            }
                            return kills;
                        });
        Thread.ofPlatform().start(killing);
        return killing;
    }

    private static void write(TestCluster cluster) {
        for (int i = 0; i < SEGMENTS; i++) {
            cluster.sql(
                    "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 500) AS i",
                    "SELECT pg_switch_wal()");
        }
    }

    private static void awaitArchived(TestCluster cluster) {
        Path status = cluster.dataDirectory().resolve("pg_wal/archive_status");
        Await.until(
                "everything to be archived",
                PATIENCE,
                () -> {
                    try (Stream<Path> files = Files.list(status)) {
                        return files.noneMatch(f -> f.toString().endsWith(".ready"));
                    }
                });
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void nothingIsLostAndRecoveryReachesTheEndThoughTheAgentIsKilled(int major) throws Exception {
        long seed = 20_261_121L + major;
        Random random = new Random(seed);
        ClusterOptions options =
                ClusterOptions.standard().withWalSegmentMib(1).with("archive_mode", "on");
        try (AgentSite site = new AgentSite();
                TestCluster cluster = TestCluster.create(major, options)) {
            cluster.configure(
                    Map.of("archive_command", site.command("wal push %p"), "wal_keep_size", "1GB"));
            cluster.sql("CREATE TABLE t (i int, t text)");
            cluster.stop();
            Path copied = copy(cluster.dataDirectory(), site.folder.directory("copy"));
            cluster.start();
            AtomicBoolean over = new AtomicBoolean();
            Future<Integer> pushing = killer(site, random, over);
            write(cluster);
            awaitArchived(cluster);
            over.set(true);
            assertThat(pushing.get()).as("kills").isPositive();
            assertThat(site.starts()).as("seed %d: %s", seed, site.said()).isLessThan(SEGMENTS);
            ContentDigest content = ContentDigest.of(cluster);
            String timeline = "SELECT timeline_id::text FROM pg_control_checkpoint()";
            assertThat(cluster.value(timeline)).isEqualTo("1");
            cluster.stop();
            Files.writeString(copied.resolve("recovery.signal"), "");
            recover(site, major, copied, options, random, content);
            assertThat(site.said()).doesNotContain("MS-1099", "was changed");
        }
    }

    private static void recover(
            AgentSite site,
            int major,
            Path data,
            ClusterOptions options,
            Random random,
            ContentDigest content)
            throws Exception {
        try (Stream<Path> wal = Files.list(data.resolve("pg_wal"))) {
            for (Path file : wal.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        long before = site.starts();
        AtomicBoolean over = new AtomicBoolean();
        try (TestCluster restored =
                TestCluster.adopt(
                        major,
                        data,
                        options.with("restore_command", site.command("wal get %f %p"))
                                .with("archive_mode", "off"))) {
            Future<Integer> getting = killer(site, random, over);
            restored.start();
            Await.until(
                    "the end of recovery",
                    PATIENCE,
                    () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
            over.set(true);
            assertThat(getting.get()).as("kills").isPositive();
            assertThat(content.differencesAfterRecovery(ContentDigest.of(restored))).isEmpty();
            assertThat(site.starts() - before).as(site.said()).isLessThan(SEGMENTS);
            assertThat(restored.log()).doesNotContain("PANIC", "could not restore");
            assertThat(
                            List.of(
                                    java.util.Objects.requireNonNull(
                                            data.resolve("pg_wal").toFile().list())))
                    .noneMatch(name -> name.startsWith("RECOVERYXLOG"));
        }
    }
}
