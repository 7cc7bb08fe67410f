package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.restore.KeptDatabases;
import dev.mainstay.engine.restore.PrivateServer;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.SelectiveRecovery;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.wal.WalTarget;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// One database of a cluster is restored while the log that is replayed is mostly of the others.
class SelectiveRestoreTest {
    private static final String CONTENT =
            "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM precious t";

    static Stream<Arguments> clusters() {
        return Versions.selected().stream()
                .flatMap(major -> Stream.of(Arguments.of(major, false), Arguments.of(major, true)));
    }

    static List<Integer> one() {
        return Versions.selectedElse(15);
    }

    private static TestCluster cluster(int major, boolean checksums) {
        ClusterOptions options = RestoreSite.archiving().with("max_prepared_transactions", "20");
        return TestCluster.create(major, checksums ? options : options.withoutChecksums());
    }

    private static void makeDatabases(TestCluster cluster) {
        Path space = cluster.home().directory("space");
        cluster.sql(
                "CREATE DATABASE \"Kept \"\"one\"\"\"",
                "CREATE DATABASE busy",
                "CREATE TABLESPACE space LOCATION '" + space + "'",
                "CREATE DATABASE spaced TABLESPACE space",
                "CREATE DATABASE halfdropped",
                // as DROP DATABASE leaves it when it is interrupted
                "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'halfdropped'");
        cluster.sqlIn(
                "Kept \"one\"",
                "CREATE TABLE precious (id int PRIMARY KEY, text text)",
                "INSERT INTO precious SELECT i, md5(i::text) FROM generate_series(1, 20000) i",
                "CREATE INDEX ON precious (text)");
    }

    @ParameterizedTest
    @MethodSource("clusters")
    void oneDatabaseComesBackWhateverTheOthersDid(int major, boolean checksums) throws Exception {
        try (TestCluster cluster = cluster(major, checksums);
                RestoreSite on = new RestoreSite(cluster);
                Workload workload = Workload.of(cluster, 3)) {
            makeDatabases(cluster);
            String content;
            try (OtherWork busy = new OtherWork(cluster, "busy", 1);
                    OtherWork spaced = new OtherWork(cluster, "spaced", 2)) {
                workload.start(1);
                busy.await(12);
                spaced.await(12);
                on.backUp();
                busy.await(25);
                spaced.await(25);
                cluster.sqlIn("Kept \"one\"", "DELETE FROM precious WHERE id % 7 = 0");
                cluster.sql("CREATE DATABASE later TEMPLATE template1", "CHECKPOINT");
                content = cluster.rows("Kept \"one\"", CONTENT).getFirst();
                cluster.sql("SELECT pg_create_restore_point('here')");
                cluster.sqlIn("Kept \"one\"", "DROP TABLE precious");
                busy.await(6);
                workload.pause();
            }
            on.archive(cluster);
            RestorePlan plan =
                    spaced(
                            on.wish("one", new RestoreTarget.At(new WalTarget.AtName("here")))
                                    .plan(),
                            "space");
            KeptDatabases kept =
                    KeptDatabases.choose(on.site.source, plan, List.of("Kept \"one\""));
            assertThat(kept.leftOutNames()).contains("busy", "spaced");
            assertThat(kept.names()).contains("Kept \"one\"", "postgres", "template0", "template1");
            assertThat(kept.leftOut().size().bytes()).isGreaterThan(2_000_000);

            SelectiveRecovery.Outcome outcome = restore(on, plan, kept);

            assertThat(outcome.dropped()).contains("busy", "spaced", "later", "halfdropped");
            assertThat(outcome.notes()).isEmpty();
            assertThat(outcome.checked()).singleElement().asString().startsWith("Kept \"one\": ");
            Path directory = plan.request().directory();
            assertThat(PostgresServer.runningPid(directory)).isEmpty();
            try (TestCluster restored =
                    TestCluster.adopt(major, directory, ClusterOptions.bare())) {
                restored.start();
                assertThat(restored.rows("Kept \"one\"", CONTENT)).containsExactly(content);
                assertThat(restored.rows("postgres", "SELECT datname FROM pg_database ORDER BY 1"))
                        .containsExactly("Kept \"one\"", "postgres", "template0", "template1");
                assertThat(StructureJudge.judge(restored)).isEmpty();
                assertThat(restored.value("SHOW ignore_invalid_pages")).isEqualTo("off");
            }
            workload.resume();
        }
    }

    private static RestorePlan spaced(RestorePlan plan, String name) {
        Path directory = plan.request().directory();
        return new RestorePlan(
                plan.request(),
                plan.backup(),
                plan.details(),
                plan.replay(),
                plan.volume(),
                plan.tablespaces().stream()
                        .map(
                                each ->
                                        new RestorePlan.Tablespace(
                                                each.oid(),
                                                each.from(),
                                                directory.resolveSibling(name + each.oid())))
                        .toList(),
                plan.warnings());
    }

    private static SelectiveRecovery.Outcome restore(
            RestoreSite on, RestorePlan plan, KeptDatabases kept) throws IOException {
        RestorePlan less = kept.reduce(plan);
        new RestoreRun(on.site.source, less, kept, Progress.none()).execute();
        long onDisk = onDisk(less.request().directory().resolve("base"));
        assertThat(onDisk).isLessThan(plan.volume().size().bytes());
        return recover(on, less, kept, "run");
    }

    private static SelectiveRecovery.Outcome recover(
            RestoreSite on, RestorePlan plan, KeptDatabases kept, String run) {
        return SelectiveRecovery.run(
                on.site.source,
                plan,
                kept,
                Set.of("Kept \"one\""),
                new PrivateServer.Options(
                        on.cluster.binDirectory(),
                        on.home.directory(run),
                        "",
                        true,
                        List.of("nobody")),
                Progress.none());
    }

    /// What sparse files take.
    private static long onDisk(Path tree) throws IOException {
        Process du =
                new ProcessBuilder("du", "-s", "--block-size=1", tree.toString())
                        .redirectErrorStream(true)
                        .start();
        String text =
                new String(
                        du.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.US_ASCII);
        return Long.parseLong(text.split("\\s", -1)[0]);
    }

    @ParameterizedTest
    @MethodSource("one")
    void withoutFullPageImagesAndForUnknownNamesNothingIsRestored(int major) {
        try (TestCluster cluster = cluster(major, true);
                RestoreSite on = new RestoreSite(cluster)) {
            makeDatabases(cluster);
            on.backUp();
            cluster.sql("SELECT pg_create_restore_point('before')");
            cluster.configure(java.util.Map.of("full_page_writes", "off"));
            cluster.reload();
            Await.until("the setting", () -> cluster.value("SHOW full_page_writes").equals("off"));
            cluster.sql("CHECKPOINT", "SELECT pg_create_restore_point('after')");
            on.archive(cluster);
            RestorePlan before =
                    on.wish("x", new RestoreTarget.At(new WalTarget.AtName("before"))).plan();
            RestorePlan after =
                    on.wish("x", new RestoreTarget.At(new WalTarget.AtName("after"))).plan();
            assertThat(KeptDatabases.choose(on.site.source, before, List.of("busy")).leftOutNames())
                    .contains("spaced", "Kept \"one\"");
            refuses(on, after, "busy", ErrorCode.RESTORE_PAGE_IMAGES, "full_page_writes was off");
            refuses(
                    on,
                    before,
                    "bussy",
                    ErrorCode.RESTORE_DATABASE_UNKNOWN,
                    "has no database 'bussy'; did you mean 'busy'?");
            assertThat(before.request().directory()).doesNotExist();
        }
    }

    private static void refuses(
            RestoreSite on, RestorePlan plan, String name, ErrorCode code, String text) {
        assertThatThrownBy(() -> KeptDatabases.choose(on.site.source, plan, List.of(name)))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> assertThat(refused.code()).isEqualTo(code))
                .hasMessageContaining(text);
    }

    /// Pages that replay misses are expected only in databases that have no content on purpose, and
    /// what is wrong in a kept one is found even if replay has nothing to do with it.
    @ParameterizedTest
    @MethodSource("one")
    void damageInAKeptDatabaseEndsTheRestore(int major) throws Exception {
        try (TestCluster cluster = cluster(major, false);
                RestoreSite on = new RestoreSite(cluster)) {
            makeDatabases(cluster);
            cluster.sqlIn(
                    "Kept \"one\"",
                    "ALTER TABLE precious SET (autovacuum_enabled = off)",
                    "UPDATE precious SET text = text || 'x'",
                    "CHECKPOINT");
            on.backUp();
            String path = "SELECT pg_relation_filepath('precious%s')";
            String table = cluster.rows("Kept \"one\"", path.formatted("")).getFirst();
            String index = cluster.rows("Kept \"one\"", path.formatted("_text_idx")).getFirst();
            cluster.sqlIn("Kept \"one\"", "VACUUM (INDEX_CLEANUP OFF) precious");
            on.archive(cluster);
            damaged(on, "missing", table, new byte[0], "is uninitialized|does not exist");
            byte[] garbage = new byte[8 * 8192];
            Arrays.fill(garbage, (byte) 0x41);
            damaged(on, "garbage", index, garbage, "amcheck finds database Kept \"one\" damaged");
        }
    }

    private static void damaged(
            RestoreSite on, String name, String file, byte[] content, String complaint)
            throws IOException {
        RestorePlan plan = spaced(on.wish(name, new RestoreTarget.Latest()).plan(), name);
        KeptDatabases kept = KeptDatabases.choose(on.site.source, plan, List.of("Kept \"one\""));
        RestorePlan less = kept.reduce(plan);
        new RestoreRun(on.site.source, less, kept, Progress.none()).execute();
        Files.write(
                less.request().directory().resolve(file),
                content,
                StandardOpenOption.CREATE,
                content.length == 0
                        ? StandardOpenOption.TRUNCATE_EXISTING
                        : StandardOpenOption.WRITE);
        assertThatThrownBy(() -> recover(on, less, kept, "run-" + name))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        damaged ->
                                assertThat(damaged.code())
                                        .isEqualTo(ErrorCode.RESTORE_DATABASE_DAMAGED))
                .message()
                .containsPattern(complaint);
        assertThat(PostgresServer.runningPid(less.request().directory())).isEmpty();
    }
}
