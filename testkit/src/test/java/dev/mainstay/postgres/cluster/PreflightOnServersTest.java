package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.PostgresServer.StopMode;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// With a role that was granted exactly what [Preflight] asks for, and no superuser.
class PreflightOnServersTest {
    private static final String ROLE = "Back up";
    private static final Waiter PAUSE = Waiter.sleeping(Duration.ofMillis(20));

    private static Connection connect(TestCluster cluster) throws SQLException {
        return cluster.connect("postgres", ROLE, "");
    }

    private static List<Finding> findings(TestCluster cluster) throws SQLException {
        try (Connection connection = connect(cluster)) {
            return Preflight.inspect(connection, cluster.dataDirectory(), _ -> {}).findings();
        }
    }

    private static void fails(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        MainstayException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void everyFindingGoesAwayByItsStatementAndThenABackupWorks(int major) throws SQLException {
        ClusterOptions options =
                ClusterOptions.standard()
                        .with("wal_level", "minimal")
                        .with("max_wal_senders", "0")
                        .with("max_replication_slots", "0")
                        .with("full_page_writes", "off");
        try (TestCluster cluster = TestCluster.create(major, options)) {
            cluster.sql(
                    "CREATE ROLE \"" + ROLE + "\" LOGIN",
                    "CREATE DATABASE closed",
                    "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
                    "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
            List<Finding> before = findings(cluster);
            Set<String> ids = new TreeSet<>(before.stream().map(Finding::id).toList());
            assertThat(ids)
                    .containsExactlyInAnyOrder(
                            "right-execute",
                            "right-settings",
                            "right-replication",
                            "right-connect",
                            "setting-wal_level",
                            "setting-max_wal_senders",
                            "setting-max_replication_slots",
                            "setting-full_page_writes");
            assertThat(before).allSatisfy(f -> assertThat(f.statement()).as(f.id()).isPresent());
            try (Connection connection = connect(cluster);
                    BackupSession session = BackupSession.open(connection)) {
                fails(ErrorCode.SERVER_RIGHT_MISSING, () -> session.start("refused", true));
            }
            try (Connection superuser = cluster.connect()) {
                assertThat(Preflight.fix(superuser, before, PAUSE)).hasSize(3);
            }
            cluster.restart();
            assertThat(findings(cluster)).isEmpty();
            backUp(cluster, major);
            refuseAnotherDirectory(cluster, major);
        }
    }

    private static void backUp(TestCluster cluster, int major) throws SQLException {
        try (BackupSession session = BackupSession.open(connect(cluster))) {
            assertThat(session.version().major()).isEqualTo(major);
            BackupSession.Start start = session.start("one label", true);
            assertThat(start.segment().contains(start.lsn())).isTrue();
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 1000)");
            assertThat(session.currentInsertLsn().isAfter(start.lsn())).isTrue();
            BackupSession.Stop stop = session.stop();
            assertThat(stop.lsn().isAfter(start.lsn())).isTrue();
            assertThat(stop.time()).isAfterOrEqualTo(start.time());
            assertThat(stop.tablespaceMap()).isEmpty();
            assertThat(stop.label().label()).isEqualTo("one label");
            assertThat(stop.label().start()).isEqualTo(start.lsn());
            assertThat(stop.label().walFile()).isEqualTo(start.segment().fileName());
            assertThat(stop.label().checkpoint().isBefore(start.lsn())).isFalse();
        }
    }

    private static void refuseAnotherDirectory(TestCluster cluster, int major) throws SQLException {
        try (TestCluster other = TestCluster.create(major);
                Connection connection = connect(cluster)) {
            fails(
                    ErrorCode.BACKUP_CLUSTER_MISMATCH,
                    () ->
                            Preflight.inspect(connection, other.dataDirectory(), _ -> {})
                                    .requireReady());
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aLostServerIsCalledThatAndAStandbyIsRefused(int major) throws SQLException {
        try (TestCluster cluster = TestCluster.create(major)) {
            try (TestCluster standby = cluster.standby("one", Map.of());
                    Connection connection = standby.connect()) {
                Preflight.Report report =
                        Preflight.inspect(connection, standby.dataDirectory(), _ -> {});
                assertThat(report.findings()).extracting(Finding::id).contains("standby");
                fails(ErrorCode.CHECK_FAILED, report::requireReady);
                fails(
                        ErrorCode.BACKUP_CLUSTER_MISMATCH,
                        () ->
                                Preflight.inspect(connection, cluster.dataDirectory(), _ -> {})
                                        .requireReady());
                fails(ErrorCode.CHECK_FAILED, () -> BackupSession.open(connection));
            }
            try (BackupSession session = BackupSession.open(cluster.connect())) {
                session.start("lost", true);
                cluster.server().stop(StopMode.IMMEDIATE, Duration.ofSeconds(60));
                fails(ErrorCode.BACKUP_SERVER_STOPPED, session::currentInsertLsn);
                fails(ErrorCode.BACKUP_SERVER_STOPPED, session::stop);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aScanFindsEveryFileOfALiveClusterThatABaseBackupWouldContain(int major) {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE TABLE kept (i int)",
                    "INSERT INTO kept SELECT generate_series(1, 1000)",
                    "CREATE UNLOGGED TABLE lost (i int)",
                    "INSERT INTO lost VALUES (1)",
                    "CREATE TABLESPACE aside LOCATION '" + cluster.home().directory("ts") + "'",
                    "CREATE TABLE apart (i int) TABLESPACE aside",
                    "INSERT INTO apart VALUES (1)",
                    "CHECKPOINT");
            Set<String> found = new TreeSet<>();
            ClusterFiles.of(
                            cluster.dataDirectory(),
                            ServerVersion.ofDataDirectory(cluster.dataDirectory()),
                            ControlFile.read(cluster.dataDirectory(), _ -> {}))
                    .scan(f -> found.add(f.path()));
            String unlogged = cluster.value("SELECT pg_relation_filepath('lost')");
            assertThat(found)
                    .contains(
                            cluster.value("SELECT pg_relation_filepath('kept')"),
                            cluster.value("SELECT pg_relation_filepath('apart')"),
                            unlogged + "_init",
                            "pg_wal/archive_status",
                            "pg_xact/0000",
                            "PG_VERSION")
                    .doesNotContain(unlogged, ControlFile.PATH, "postmaster.pid");
            List<String> files =
                    cluster.rows(
                            "postgres",
                            "SELECT pg_relation_filepath(oid) FROM pg_class"
                                    + " WHERE relkind IN ('r', 'i', 't') AND relpersistence = 'p'"
                                    + " AND pg_relation_filepath(oid) IS NOT NULL");
            assertThat(found).containsAll(files);
        }
    }
}
