package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.it.BackupSite;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// Backups heed how long commits take and how far standbys are behind, as real servers tell.
class ConsiderateTest {
    static List<Integer> versions() {
        return Versions.selected();
    }

    private static ClusterOptions archiving() {
        return ClusterOptions.standard()
                .with("archive_mode", "on")
                .with("archive_command", "false");
    }

    private static PostgresSettings settings(
            String url,
            Optional<ByteSize> rate,
            Optional<Duration> lag,
            Optional<Duration> commit) {
        return new PostgresSettings(
                url,
                Optional.empty(),
                Optional.empty(),
                ReceiverSettings.defaults("orders"),
                1,
                0,
                new PostgresSettings.Limits(rate, Optional.empty(), lag, commit),
                Optional.empty());
    }

    private static String url(TestCluster cluster, String user) {
        return "postgresql://" + user + "@127.0.0.1:" + cluster.port() + "/postgres";
    }

    private static ServerStrain open(PostgresSettings settings) {
        return ServerStrain.open(ConnectionSpec.parse(settings.url(), Map.of()), settings);
    }

    private static void awaitNoProbe(TestCluster cluster) {
        Await.until(
                "the end of the probe",
                () ->
                        cluster.value(
                                        "SELECT count(*) FROM pg_stat_activity"
                                                + " WHERE application_name = 'mainstay probe'")
                                .equals("0"));
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aCommitThatWaitsCountsWhileItWaitsAndIsEnded(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                ExecutorService thread = Executors.newSingleThreadExecutor()) {
            PostgresSettings settings =
                    settings(
                            url(cluster, TestCluster.SUPERUSER),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.of(Duration.ofSeconds(30)));
            try (ServerStrain well = open(settings)) {
                well.measure();
                assertThat(well.strain()).isBetween(1e-9, 1.0);
            }
            cluster.configure(Map.of("synchronous_standby_names", "nobody"));
            cluster.reload();
            PostgresSettings strict =
                    settings(
                            url(cluster, TestCluster.SUPERUSER),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.of(Duration.ofMillis(20)));
            Future<Void> measuring;
            try (ServerStrain waiting = open(strict)) {
                measuring =
                        thread.submit(
                                () -> {
                                    waiting.measure();
                                    return null;
                                });
                Await.until("a commit that waits", () -> waiting.strain() > 10);
                assertThat(measuring.isDone()).isFalse();
            }
            Await.until("the end of measuring", measuring::isDone);
            awaitNoProbe(cluster);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aStandbyThatIsBehindCountsAndARoleThatCannotSeeItIsRefused(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                TestCluster standby =
                        cluster.standby("second", Map.of("wal_receiver_status_interval", "1"))) {
            cluster.sql("CREATE TABLE t (n int)", "CREATE ROLE backup LOGIN");
            Optional<Duration> lag = Optional.of(Duration.ofMillis(500));
            try (ServerStrain probe =
                    open(
                            settings(
                                    url(cluster, TestCluster.SUPERUSER),
                                    Optional.empty(),
                                    lag,
                                    Optional.empty()))) {
                cluster.sql("INSERT INTO t VALUES (1)");
                cluster.awaitReplay(standby);
                standby.sql("SELECT pg_wal_replay_pause()");
                Await.until(
                        "lag",
                        () -> {
                            cluster.sql("INSERT INTO t VALUES (2)");
                            measure(probe);
                            return probe.strain() > 1;
                        });
                assertThat(probe.text()).contains("behind");
            }
            assertThatThrownBy(
                            () ->
                                    open(
                                            settings(
                                                    url(cluster, "backup"),
                                                    Optional.empty(),
                                                    lag,
                                                    Optional.empty())))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            refused ->
                                    assertThat(refused.code())
                                            .isEqualTo(ErrorCode.SERVER_RIGHT_MISSING));
            awaitNoProbe(cluster);
        }
    }

    private static void measure(ServerStrain probe) {
        try {
            probe.measure();
        } catch (java.sql.SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @ParameterizedTest
    @MethodSource("versions")
    void aBackupReadsSlowerAndEndsAllTheSame(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, archiving());
                BackupSite site = new BackupSite(cluster)) {
            cluster.configure(Map.of("synchronous_standby_names", "nobody"));
            cluster.reload();
            Notes notes = new Notes();
            PostgresSettings settings =
                    settings(
                            url(cluster, TestCluster.SUPERUSER),
                            Optional.of(ByteSize.mib(8)),
                            Optional.empty(),
                            Optional.of(Duration.ofMillis(20)));
            ClusterBackup.Result result =
                    site.backup(settings, notes)
                            .run(BackupSite.request(ClusterBackup.Request.Type.FULL));
            assertThat(result.details().judgement().status()).isEqualTo("complete");
            assertThat(notes.lines).anyMatch(line -> line.startsWith("reading slower"));
            awaitNoProbe(cluster);
        }
    }

    private static final class Notes implements Progress {
        private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

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
}
