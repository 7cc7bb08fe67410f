package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.sql.Connection;
import java.util.Map;

final class WorkloadTest {
    private static final ClusterOptions OPTIONS =
            ClusterOptions.standard().with("max_prepared_transactions", "5");

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void writers_rest_while_paused_and_a_crash_loses_nothing(int major) {
        try (TestCluster cluster = TestCluster.create(major, OPTIONS);
                TestCluster standby = cluster.standby("judge", Map.of())) {
            ContentDigest atPause;
            try (Workload workload = Workload.of(cluster, 11)) {
                workload.start(2);
                Await.until("some work", () -> workload.steps() > 60);
                workload.pause();
                long steps = workload.steps();
                cluster.crash();
                cluster.start();
                atPause = ContentDigest.of(cluster);
                cluster.awaitReplay(standby);
                assertThat(atPause.differencesAfterRecovery(ContentDigest.of(standby))).isEmpty();
                assertThat(workload.steps()).isEqualTo(steps);
                workload.resume();
                Await.until("more work after the crash", () -> workload.steps() > steps + 20);
            }
            assertThat(StructureJudge.judge(cluster)).isEmpty();
        }
    }

    @Test
    void one_seed_is_one_history() {
        assertThat(history(4711)).isEqualTo(history(4711)).isNotEqualTo(history(4712));
    }

    private static String history(long seed) {
        try (TestCluster cluster = TestCluster.create(18, OPTIONS);
                Workload workload = Workload.of(cluster, seed)) {
            workload.run(80);
            return ContentDigest.of(cluster).sha256();
        }
    }

    @Test
    void loads_about_as_much_as_is_asked_for() throws Exception {
        try (TestCluster cluster = TestCluster.create(18)) {
            try (Connection connection = cluster.connect()) {
                Workload.loadMiB(connection, 8);
            }
            long bytes = Long.parseLong(cluster.value("SELECT pg_relation_size('loaded')"));
            assertThat(bytes).isBetween(7L << 20, 9L << 20);
        }
    }
}
