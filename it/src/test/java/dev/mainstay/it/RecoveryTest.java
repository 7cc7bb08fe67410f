package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.RestoredServer;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What a restored server does: where it stops, what it does there, and along which timeline.
class RecoveryTest {
    private static final String ROWS = "SELECT coalesce(string_agg(t, '' ORDER BY t), '') FROM t";

    /// As the server writes it: a quote, a backslash and a carriage return.
    private static final String ODD = "it's\r\\ %m ";

    static List<Integer> newest() {
        return Versions.selectedElse(18);
    }

    /// Has the trigger file.
    static List<Integer> older() {
        return Versions.selectedElse(15);
    }

    /// The backup brings along what an earlier recovery, or a standby, was told: in postgresql.conf
    /// and in a file that it includes. Any of it would keep the restored server from its target.
    private static TestCluster cluster(int major) throws IOException {
        ClusterOptions options =
                RestoreSite.archiving()
                        .with("track_commit_timestamp", "on")
                        .with("recovery_target_name", "of an earlier restore")
                        .with("recovery_target_action", "shutdown")
                        .with("recovery_target_inclusive", "off")
                        .with("restore_command", "false")
                        .with("recovery_end_command", "touch ended")
                        .with("archive_cleanup_command", "touch cleaned");
        if (major < 16) {
            options = options.with("promote_trigger_file", "PG_VERSION");
        }
        TestCluster cluster = TestCluster.create(major, options);
        Files.writeString(
                cluster.dataDirectory().resolve("earlier.conf"),
                """
                recovery_target_timeline = '7'
                recovery_min_apply_delay = '1h'
                primary_conninfo = 'host=/nowhere'
                primary_slot_name = 'somebody_elses'
                """);
        Files.writeString(
                cluster.dataDirectory().resolve("even-earlier.conf"), "recovery_target_xid = 3");
        ServerUser.giveToUnprivileged(cluster.dataDirectory());
        cluster.configure(Map.of("include", "earlier.conf"));
        cluster.restart();
        assertThat(cluster.value("SHOW primary_slot_name")).isEqualTo("somebody_elses");
        cluster.sql("ALTER SYSTEM SET log_line_prefix = '" + ODD.replace("'", "''") + "'");
        Files.writeString(
                cluster.dataDirectory().resolve("postgresql.auto.conf"),
                "include 'even-earlier.conf' # and no end of the line",
                StandardOpenOption.APPEND);
        cluster.sql("CREATE TABLE t (t text)", "INSERT INTO t VALUES ('a')");
        return cluster;
    }

    private static RestoreTarget at(WalTarget point) {
        return new RestoreTarget.At(point);
    }

    private static RestoreTarget latest() {
        return new RestoreTarget.Latest();
    }

    /// @return the transaction that did it
    private static long insert(TestCluster cluster, String row) {
        return Long.parseLong(
                cluster.value(
                        "INSERT INTO t VALUES ('"
                                + row
                                + "') RETURNING (pg_current_xact_id()::text::bigint"
                                + " & 4294967295)::text"));
    }

    private static Instant committed(TestCluster cluster, long xid) {
        return OffsetDateTime.parse(
                        cluster.value(
                                "SELECT to_char(pg_xact_commit_timestamp('"
                                        + xid
                                        + "'::xid), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"))
                .toInstant();
    }

    /// @return where the record of its commit begins
    private static Lsn insertCommittedAt(TestCluster cluster, String row) {
        try (Connection sql = cluster.connect();
                Statement statement = sql.createStatement()) {
            sql.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES ('" + row + "')");
            try (ResultSet position =
                    statement.executeQuery("SELECT pg_current_wal_insert_lsn()")) {
                position.next();
                Lsn lsn = Lsn.parse(position.getString(1));
                sql.commit();
                return lsn;
            }
        } catch (SQLException failed) {
            throw new IllegalStateException(failed);
        }
    }

    @ParameterizedTest
    @MethodSource("newest")
    void everyTargetIsReachedInclusiveAndExclusive(int major) throws IOException {
        try (TestCluster cluster = cluster(major);
                RestoreSite site = new RestoreSite(cluster)) {
            site.backUp();
            Lsn lsn = insertCommittedAt(cluster, "b");
            long xid = insert(cluster, "c");
            Instant time = committed(cluster, xid);
            insert(cluster, "d");
            site.archive(cluster);
            Map<RestoreTarget, String> targets = new LinkedHashMap<>();
            targets.put(new RestoreTarget.Immediate(), "a");
            targets.put(at(new WalTarget.AtLsn(lsn, false)), "a");
            targets.put(at(new WalTarget.AtLsn(lsn, true)), "ab");
            targets.put(at(new WalTarget.AtXid(xid, false)), "ab");
            targets.put(at(new WalTarget.AtTime(time, false)), "ab");
            targets.put(at(new WalTarget.AtXid(xid, true)), "abc");
            targets.put(at(new WalTarget.AtTime(time, true)), "abc");
            targets.forEach(
                    (target, rows) -> {
                        String name = "to-" + target.toString().replaceAll("\\W", "-");
                        try (TestCluster restored = site.wish(name, target).recovered()) {
                            assertThat(restored.value(ROWS)).as(name).isEqualTo(rows);
                            archivesNothing(restored);
                            keepsNothingOfTheSource(restored);
                        }
                    });
        }
    }

    private static void keepsNothingOfTheSource(TestCluster restored) {
        assertThat(restored.dataDirectory().resolve("ended")).doesNotExist();
        assertThat(restored.dataDirectory().resolve("cleaned")).doesNotExist();
        assertThat(restored.value("SHOW primary_conninfo")).isEmpty();
        assertThat(restored.value("SHOW primary_slot_name")).isEmpty();
        assertThat(restored.value("SHOW log_line_prefix")).isEqualTo(ODD);
    }

    private static void archivesNothing(TestCluster restored) {
        assertThat(restored.value("SHOW archive_mode")).isEqualTo("off");
        restored.sql("SELECT pg_switch_wal()", "CHECKPOINT");
        try (Stream<Path> status =
                Files.list(restored.dataDirectory().resolve("pg_wal/archive_status"))) {
            assertThat(status.map(Path::toString)).noneMatch(name -> name.endsWith(".ready"));
        } catch (IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        }
    }

    @ParameterizedTest
    @MethodSource("older")
    void atTheTargetItPausesPromotesOrShutsDown(int major) throws IOException {
        try (TestCluster cluster = cluster(major);
                RestoreSite site = new RestoreSite(cluster)) {
            site.backUp();
            insert(cluster, "b");
            cluster.sql("SELECT pg_create_restore_point('here')");
            insert(cluster, "c");
            site.archive(cluster);
            RestoreTarget here = at(new WalTarget.AtName("here"));

            RestorePlan shut = site.wish("shut", here).then(Action.SHUTDOWN).restore();
            RestoredServer server = site.server(shut);
            assertThat(server.start().state()).isEqualTo("shut down at the target");
            assertThat(server.server().isRunning()).isFalse();
            assertThat(ControlFile.read(shut.request().directory(), _ -> {}).state())
                    .isEqualTo(ControlFile.State.SHUT_DOWN_IN_RECOVERY);
            opensWhenItIsTold(shut);

            RestoredServer promoted = site.server(site.wish("promoted", here).restore());
            try {
                RestoredServer.Outcome outcome = promoted.start();
                assertThat(outcome.state()).isEqualTo("recovered, accepting connections");
                assertThat(outcome.databases()).contains("postgres");
            } finally {
                promoted.server().stop(PostgresServer.StopMode.FAST, Duration.ofSeconds(60));
            }

            try (TestCluster paused = site.wish("paused", here).then(Action.PAUSE).started()) {
                Await.until(
                        "the pause",
                        () ->
                                paused.value("SELECT pg_get_wal_replay_pause_state()")
                                        .equals("paused"));
                assertThat(paused.value(ROWS)).isEqualTo("ab");
                paused.promote();
                assertThat(paused.value(ROWS)).isEqualTo("ab");
                archivesNothing(paused);
            }
        }
    }

    /// As docs/restore.md has it.
    private static void opensWhenItIsTold(RestorePlan shut) throws IOException {
        Path directory = shut.request().directory();
        Files.writeString(
                directory.resolve("postgresql.auto.conf"),
                "recovery_target_action = 'promote'\n",
                StandardOpenOption.APPEND);
        int major = shut.details().server().versionNum() / 10_000;
        try (TestCluster opened = TestCluster.adopt(major, directory, ClusterOptions.bare())) {
            opened.start();
            Await.until(
                    "the end of recovery",
                    () -> opened.value("SELECT pg_is_in_recovery()").equals("f"));
            assertThat(opened.value(ROWS)).isEqualTo("ab");
        }
    }

    @ParameterizedTest
    @MethodSource("newest")
    void aStandbyFollowsTheArchiveAndTheSourceWhenItIsTold(int major) throws IOException {
        try (TestCluster cluster = cluster(major);
                RestoreSite site = new RestoreSite(cluster)) {
            site.backUp();
            insert(cluster, "b");
            site.archive(cluster);
            try (TestCluster standby = site.wish("standby", latest()).asStandby().started()) {
                Await.until("row b", () -> standby.value(ROWS).equals("ab"));
                insert(cluster, "c");
                site.archive(cluster);
                Await.until("row c", () -> standby.value(ROWS).equals("abc"));
                assertThat(standby.value("SELECT pg_is_in_recovery()")).isEqualTo("t");
                assertThat(standby.value("SHOW archive_mode")).isEqualTo("off");
                assertThat(standby.value("SELECT count(*) FROM pg_stat_wal_receiver"))
                        .isEqualTo("0");
                keepsNothingOfTheSource(standby);

                standby.sql(
                        "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port="
                                + cluster.port()
                                + " user="
                                + TestCluster.SUPERUSER
                                + "'");
                standby.reload();
                insert(cluster, "d");
                Await.until("row d, streamed", () -> standby.value(ROWS).equals("abcd"));
                assertThat(standby.value("SELECT pg_is_in_recovery()")).isEqualTo("t");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("older")
    void afterAPromotionEachTimelineCanBeChosen(int major) throws IOException {
        try (TestCluster cluster = cluster(major);
                RestoreSite site = new RestoreSite(cluster)) {
            site.backUp();
            insert(cluster, "b");
            cluster.sql("SELECT pg_create_restore_point('fork')");
            insert(cluster, "c");
            site.archive(cluster);
            try (TestCluster second =
                            site.wish("second", at(new WalTarget.AtName("fork")))
                                    .archiving()
                                    .recovered();
                    PgWalArchiver _ = new PgWalArchiver(second, site.wal, 1 << 20)) {
                assertThat(second.value("SHOW archive_mode")).isEqualTo("on");
                insert(second, "x");
                second.sql("SELECT pg_create_restore_point('on the second')");
                insert(second, "y");
                site.archive(second);
            }
            assertThat(site.wal.timelines()).contains(TimelineId.of(1), TimelineId.of(2));

            Map<TimelineChoice, String> rows =
                    Map.of(
                            new TimelineChoice.Latest(), "abxy",
                            new TimelineChoice.Named(TimelineId.of(1)), "abc");
            assertThat(settingAlong(site, new TimelineChoice.Named(TimelineId.of(2))))
                    .isEqualTo(settingAlong(site, new TimelineChoice.Latest()));
            assertThat(settingAlong(site, new TimelineChoice.Current()))
                    .isEqualTo(settingAlong(site, new TimelineChoice.Named(TimelineId.of(1))));
            rows.forEach(
                    (choice, expected) -> {
                        String name = "along-" + choice;
                        try (TestCluster restored =
                                site.wish(name, latest()).along(choice).recovered()) {
                            assertThat(restored.value(ROWS)).as(name).isEqualTo(expected);
                        }
                    });
            RestoreTarget named = at(new WalTarget.AtName("on the second"));
            try (TestCluster restored = site.wish("named", named).recovered()) {
                assertThat(restored.value(ROWS)).isEqualTo("abx");
            }
            refused(site.wish("elsewhere", named).along(new TimelineChoice.Current()), "reached");
            refused(
                    site.wish("never", latest()).along(new TimelineChoice.Named(TimelineId.of(7))),
                    "00000007.history");
        }
    }

    private static String settingAlong(RestoreSite site, TimelineChoice choice) {
        return site.wish("planned", latest()).along(choice).plan().replay().timelineSetting();
    }

    private static void refused(RestoreSite.Wish wish, String because) {
        assertThatThrownBy(wish::plan)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed ->
                                assertThat(failed.code())
                                        .isEqualTo(ErrorCode.RESTORE_TARGET_UNREACHABLE))
                .hasMessageContaining(because);
        assertThat(wish.on().home.path().resolve(wish.name())).doesNotExist();
    }
}
