package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.it.BackupSite;
import dev.mainstay.storage.wrap.Throttle;
import dev.mainstay.storage.wrap.Timer;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// What a backup reads of the cluster over the time it takes for it, counted, by a clock that only
/// waiting moves.
class MaxRateTest {
    private static final ByteSize RATE = ByteSize.mib(4);

    static List<Integer> versions() {
        return Versions.selected();
    }

    private static final class Waiting implements Timer {
        private final AtomicLong now = new AtomicLong(1);

        @Override
        public long nanos() {
            return now.get();
        }

        @Override
        public void pause(Duration duration) {
            now.addAndGet(duration.toNanos());
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void holdsForFilesAndForTheReplicationProtocol(int major) throws Exception {
        ClusterOptions options =
                ClusterOptions.standard()
                        .with("archive_mode", "on")
                        .with("archive_command", "false");
        try (TestCluster cluster = TestCluster.create(major, options);
                BackupSite site = new BackupSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT n, repeat('x', 200) FROM generate_series(1, 20000)"
                            + " n");
            readsNoFaster(site, cluster, Optional.of(cluster.dataDirectory()));
            readsNoFaster(site, cluster, Optional.empty());
        }
    }

    private static void readsNoFaster(
            BackupSite site, TestCluster cluster, Optional<Path> dataDirectory) {
        PostgresSettings settings =
                new PostgresSettings(
                        site.url(),
                        Optional.empty(),
                        dataDirectory,
                        ReceiverSettings.defaults("orders"),
                        1,
                        0);
        Waiting time = new Waiting();
        ClusterBackup.Result result =
                site.backup(settings, Progress.none())
                        .withThrottle(Throttle.of(Optional.of(RATE), time))
                        .run(BackupSite.request(ClusterBackup.Request.Type.FULL));
        double seconds = time.nanos() / 1e9;
        long read = result.backup().statistics().number("bytes-read");
        assertThat(read).isGreaterThan(20L << 20);
        // The first tenth of a second is free; archives have headers.
        assertThat(seconds)
                .as(read + " bytes of " + cluster.major())
                .isBetween(read / (double) RATE.bytes() - 0.5, read * 1.2 / (double) RATE.bytes());
    }
}
