package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Map;

final class TestClusterTest {
    private static final String SELECTED = "dev.mainstay.testkit.Versions#selected";

    @ParameterizedTest
    @MethodSource(SELECTED)
    void what_was_committed_survives_stop_and_crash(int major) {
        Path home;
        try (TestCluster cluster =
                TestCluster.create(major, ClusterOptions.standard().withWalSegmentMib(1))) {
            home = cluster.home().path();
            assertThat(cluster.value("SHOW server_version")).startsWith(major + ".");
            assertThat(cluster.value("SHOW data_checksums")).isEqualTo("on");
            assertThat(cluster.value("SHOW wal_segment_size")).isEqualTo("1MB");
            cluster.sql("CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)");
            cluster.crash();
            assertThat(cluster.isRunning()).isFalse();
            cluster.start();
            assertThat(cluster.value("SELECT a FROM t")).isEqualTo("1");
            assertThat(cluster.log()).contains("not properly shut down");
            cluster.restart();
            assertThat(cluster.value("SELECT a FROM t")).isEqualTo("1");
        }
        assertThat(home).doesNotExist();
    }

    @ParameterizedTest
    @MethodSource(SELECTED)
    void a_standby_follows_and_takes_over(int major) {
        try (TestCluster primary = TestCluster.create(major)) {
            Path tablespace = primary.home().directory("space");
            primary.sql(
                    "CREATE TABLESPACE space LOCATION '" + tablespace + "'",
                    "CREATE TABLE t (a int) TABLESPACE space",
                    "INSERT INTO t VALUES (1)");
            try (TestCluster standby = primary.standby("second", Map.of())) {
                primary.sql("INSERT INTO t VALUES (2)");
                primary.awaitReplay(standby);
                assertThat(standby.value("SELECT count(*) FROM t")).isEqualTo("2");
                primary.crash();
                standby.promote();
                standby.sql("INSERT INTO t VALUES (3)");
                assertThat(standby.value("SELECT timeline_id FROM pg_control_checkpoint()"))
                        .matches("[12]"); // the checkpoint of the new timeline may still be running
            }
        }
    }

    @Test
    void passwords_are_demanded_where_they_were_asked_for() throws SQLException {
        ClusterOptions options = ClusterOptions.standard().withoutChecksums().withScram("geheim");
        try (TestCluster cluster = TestCluster.create(18, options)) {
            assertThat(cluster.value("SHOW data_checksums")).isEqualTo("off");
            assertThatThrownBy(() -> cluster.connect("postgres", "postgres", "falsch"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
        }
    }

    @Test
    void a_server_that_cannot_start_says_why() throws Exception {
        try (TestCluster cluster = TestCluster.create(18)) {
            cluster.stop();
            cluster.configure(Map.of("shared_buffers", "lots"));
            assertThatThrownBy(cluster::start)
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            e -> assertThat(e.code()).isEqualTo(ErrorCode.SERVER_START_FAILED))
                    .hasMessageContaining(cluster.logFile().toString())
                    .hasMessageContaining("invalid value for parameter \"shared_buffers\"");
            assertThat(Files.exists(cluster.dataDirectory().resolve("postmaster.pid"))).isFalse();
        }
    }
}
