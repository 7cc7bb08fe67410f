package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.check.LiveCheck;
import dev.mainstay.postgres.cluster.Amcheck;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/// A running server's databases are looked through by amcheck without being in anybody's way.
class LiveCheckTest {
    private static final ByteSize FAST = ByteSize.of(1L << 40);
    private static final int PAGE = 8192;

    static List<Integer> one() {
        return Versions.selectedElse(18);
    }

    private static LiveCheck check(TestCluster cluster, String user) {
        String url = "postgresql://" + user + "@127.0.0.1:" + cluster.port() + "/postgres";
        ConnectionSpec spec = ConnectionSpec.parse(url, Map.of());
        return new LiveCheck(spec, FAST, Progress.none());
    }

    private static LiveCheck check(TestCluster cluster) {
        return check(cluster, TestCluster.SUPERUSER);
    }

    private static TestCluster cluster(int major) {
        TestCluster cluster =
                TestCluster.create(
                        major, ClusterOptions.bare().withoutChecksums().with("autovacuum", "off"));
        cluster.sql("CREATE DATABASE shop", "CREATE DATABASE plain");
        cluster.sqlIn(
                "shop",
                "CREATE SCHEMA checks",
                "CREATE EXTENSION amcheck SCHEMA checks",
                "CREATE TABLE item (id int PRIMARY KEY, text text)",
                "INSERT INTO item SELECT i, repeat(md5(i::text), 30) FROM generate_series(1, 50000)"
                        + " i",
                "CREATE UNLOGGED TABLE cart (id int PRIMARY KEY)",
                "INSERT INTO cart SELECT generate_series(1, 1000)");
        return cluster;
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void whatIsWellIsLookedThroughAndWhatIsDamagedIsNamed(int major) throws Exception {
        try (TestCluster cluster = cluster(major)) {
            LiveCheck.Report well = check(cluster).run();
            assertThat(well.databases()).containsExactly("shop");
            assertThat(well.damage()).isEmpty();
            assertThat(well.notes())
                    .singleElement()
                    .asString()
                    .contains("plain", "postgres", "template1");
            assertThat(well.tables()).isGreaterThan(50);
            assertThat(well.size().bytes()).isGreaterThan(45_000L * 30 * 32);

            Path table = file(cluster, "item");
            Path index = file(cluster, "item_pkey");
            cluster.stop();
            // more than one piece of the table lies before this
            damage(table, 5000, PAGE - 200);
            damage(index, 2, PAGE / 2);
            cluster.start();

            LiveCheck.Report damaged = check(cluster).run();
            assertThat(damaged.damage())
                    .anyMatch(each -> each.startsWith("database shop: item block 5000 "))
                    .anyMatch(each -> each.contains("item_pkey"));
            assertThatThrownBy(() -> damaged.demandWell("orders"))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            found -> assertThat(found.code()).isEqualTo(ErrorCode.CLUSTER_DAMAGED))
                    .hasMessageContaining("item block 5000");
        }
    }

    private static Path file(TestCluster cluster, String relation) {
        return cluster.dataDirectory()
                .resolve(
                        cluster.rows("shop", "SELECT pg_relation_filepath('" + relation + "')")
                                .getFirst());
    }

    private static void damage(Path file, int page, int offset) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.seek((long) page * PAGE + 24);
            byte[] garbage = new byte[offset];
            Arrays.fill(garbage, (byte) 0x41);
            open.write(garbage);
        }
    }

    @ParameterizedTest
    @MethodSource("one")
    void whoMayNotIsToldWhatIsMissing(int major) throws Exception {
        try (TestCluster cluster = cluster(major)) {
            cluster.sql("CREATE ROLE \"looker\" LOGIN");
            MainstayException refused =
                    (MainstayException) catchThrowable(() -> check(cluster, "looker").run());
            assertThat(refused.code()).isEqualTo(ErrorCode.SERVER_RIGHT_MISSING);
            assertThat(refused.hint()).startsWith("as a superuser in shop: GRANT ");
            cluster.sqlIn(
                    "shop",
                    "GRANT USAGE ON SCHEMA checks TO looker",
                    refused.hint().substring(refused.hint().indexOf("GRANT")));
            assertThat(check(cluster, "looker").run().damage()).isEmpty();

            cluster.sqlIn("shop", "DROP EXTENSION amcheck");
            assertThatThrownBy(() -> check(cluster).run())
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            none -> assertThat(none.code()).isEqualTo(ErrorCode.AMCHECK_MISSING));
        }
    }

    /// A relation that somebody works on is passed over, and a check that is stopped lets go of it
    /// at once.
    @ParameterizedTest
    @MethodSource("one")
    void locksAreNeitherWaitedForLongNorKept(int major) throws Exception {
        try (TestCluster cluster = cluster(major);
                Connection other = cluster.connect("shop");
                Statement lock = other.createStatement()) {
            other.setAutoCommit(false);
            lock.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE");
            LiveCheck.Report report = check(cluster).run();
            assertThat(report.damage()).isEmpty();
            assertThat(report.notes()).anyMatch(each -> each.contains("had locked item of"));

            AtomicReference<Throwable> ended = new AtomicReference<>();
            Thread looking =
                    Thread.ofPlatform()
                            .start(() -> ended.set(catchThrowable(() -> check(cluster).run())));
            String waits =
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name ="
                            + " 'mainstay amcheck'";
            Await.until(
                    "a lock is waited for",
                    () -> cluster.value(waits + " AND wait_event_type = 'Lock'").equals("1"));
            looking.interrupt();
            looking.join();
            assertThat(ended.get())
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            stopped -> assertThat(stopped.code()).isEqualTo(ErrorCode.INTERRUPTED));
            Await.until("its session ends", () -> cluster.value(waits).equals("0"));
        }
    }

    /// The list of relations is old by the time they are looked at.
    @ParameterizedTest
    @MethodSource("one")
    void whatWentMeanwhileIsNoDamage(int major) throws Exception {
        try (TestCluster cluster = cluster(major);
                Connection sql = cluster.connect("shop");
                Statement statement = sql.createStatement()) {
            Amcheck amcheck = Amcheck.installed(statement).orElseThrow();
            Amcheck.Relation item = named(amcheck.tables("true"), "item");
            Amcheck.Relation key = named(amcheck.indexes("true"), "item_pkey");
            long blocks = amcheck.blocks(item);
            assertThat(blocks).isGreaterThan(5000);
            statement.execute("DELETE FROM item WHERE id > 100");
            statement.execute("VACUUM item");
            assertThat(amcheck.table(item, 4096, blocks - 1)).isEmpty();
            assertThat(amcheck.table(item, 0, blocks - 1)).isEmpty();
            statement.execute("DROP TABLE item");
            assertThat(amcheck.table(item, 0, 4095)).isEmpty();
            assertThat(amcheck.index(key, false)).isEmpty();
        }
    }

    private static Amcheck.Relation named(List<Amcheck.Relation> relations, String name) {
        return relations.stream()
                .filter(each -> each.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("one")
    void onAStandbyUnloggedTablesArePassedOver(int major) throws Exception {
        try (TestCluster cluster = cluster(major);
                TestCluster standby = cluster.standby("second", Map.of())) {
            cluster.awaitReplay(standby);
            LiveCheck.Report there = check(standby).run();
            assertThat(there.damage()).isEmpty();
            assertThat(there.databases()).containsExactly("shop");
            assertThat(there.tables()).isLessThan(check(cluster).run().tables());
        }
    }
}
