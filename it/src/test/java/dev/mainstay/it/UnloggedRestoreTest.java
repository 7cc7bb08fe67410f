package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.restore.DeltaRestore;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/// A backup that looks while an index on an unlogged table is being built takes the index for a
/// logged one. What is restored from it has to start all the same.
class UnloggedRestoreTest {
    private static final String TURN = "SELECT pg_advisory_%s(7)";

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void anIndexThatBecameUnloggedAfterTheBackupLetsTheServerStart(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite on = new RestoreSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) n",
                    "CREATE UNLOGGED TABLE u AS SELECT n FROM generate_series(1, 1000) n",
                    """
                    CREATE FUNCTION in_turn(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_advisory_lock_shared(7);
                     PERFORM pg_advisory_unlock_shared(7); RETURN n; END'\
                    """);
            comesUp(on, "of_files", on.site::backUp);
            comesUp(on, "streamed", on.site::backUpStreamed);
        }
    }

    private static void comesUp(
            RestoreSite on,
            String name,
            Function<ClusterBackup.Request.Type, ClusterBackup.Result> backUp)
            throws Exception {
        TestCluster cluster = on.cluster;
        List<CommittedBackup> made = new ArrayList<>();
        whileAnIndexIsBuilt(
                cluster,
                name,
                () -> made.add(backUp.apply(ClusterBackup.Request.Type.FULL).backup()));
        String index = cluster.value("SELECT pg_relation_filepath('" + name + "')");
        assertThat(paths(on, made.getFirst())).contains(index).doesNotContain(index + "_init");
        cluster.sql("INSERT INTO u VALUES (1001)", "CHECKPOINT");
        on.archive(cluster);

        RestorePlan plan = on.wish(name, new RestoreTarget.Latest()).restore();
        assertThat(plan.backup().id()).isEqualTo(made.getFirst().id());
        starts(plan, index, cluster.major());
        delta(on, plan, index);
        starts(plan, index, cluster.major());
    }

    private static void whileAnIndexIsBuilt(TestCluster cluster, String name, Runnable task)
            throws Exception {
        AtomicReference<Exception> failure = new AtomicReference<>();
        try (Connection holder = cluster.connect();
                Statement turn = holder.createStatement()) {
            turn.execute(TURN.formatted("lock"));
            Thread builder =
                    Thread.ofVirtual()
                            .start(
                                    () -> {
                                        try {
                                            cluster.sql(
                                                    "CREATE INDEX " + name + " ON u (in_turn(n))");
                                        } catch (RuntimeException failed) {
                                            failure.set(failed);
                                        }
                                    });
            Await.until(
                    "the build to wait",
                    () ->
                            cluster.value(
                                            "SELECT count(*) FROM pg_locks WHERE locktype ="
                                                    + " 'advisory' AND NOT granted")
                                    .equals("1"));
            task.run();
            turn.execute(TURN.formatted("unlock"));
            builder.join();
        }
        assertThat(failure.get()).isNull();
    }

    private static List<String> paths(RestoreSite on, CommittedBackup backup) {
        List<String> paths = new ArrayList<>();
        try (BackupReader reader = on.site.source.read(backup)) {
            reader.entries(entry -> paths.add(entry.path()));
        }
        return paths;
    }

    /// In a directory in which the server made the index's main fork.
    private static void delta(RestoreSite on, RestorePlan plan, String index) throws Exception {
        Path file = plan.request().directory().resolve(index);
        assertThat(file).exists();
        new DeltaRestore(on.site.source, plan, Progress.none()).execute();
        assertThat(file).doesNotExist();
    }

    private static void starts(RestorePlan plan, String index, int major) throws Exception {
        Path directory = plan.request().directory();
        assertThat(directory.resolve(index)).doesNotExist();
        assertThat(Files.readString(directory.resolve("backup_manifest")))
                .contains("\"PG_VERSION\"")
                .doesNotContain("\"" + index + "\"");
        try (TestCluster restored = TestCluster.adopt(major, directory, ClusterOptions.bare())) {
            restored.start();
            Await.until(
                    "the end of recovery",
                    () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
            assertThat(restored.value("SELECT count(*) FROM kept")).isEqualTo("1000");
            assertThat(restored.value("SELECT count(*) FROM u")).isEqualTo("0");
            assertThat(StructureJudge.judge(restored)).isEmpty();
        }
    }
}
