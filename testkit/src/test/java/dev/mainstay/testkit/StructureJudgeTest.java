package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;

final class StructureJudgeTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void a_flipped_bit_is_found_and_named(int major) throws IOException {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE TABLE healthy (a int PRIMARY KEY)",
                    "INSERT INTO healthy SELECT generate_series(1, 1000)",
                    "CREATE UNLOGGED TABLE u (a int NOT NULL, b timestamptz NOT NULL, c text)",
                    "CREATE TABLE victim AS SELECT i FROM generate_series(1, 1000) i");
            assertThat(StructureJudge.judge(cluster)).isEmpty();
            assertThat(cluster.value("SELECT count(*) FROM pg_extension")).isEqualTo("1");
            flipBit(cluster, "victim");
            assertThat(StructureJudge.judge(cluster))
                    .isNotEmpty()
                    .allMatch(c -> c.contains("victim"))
                    .anyMatch(c -> c.contains("invalid page"));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void an_index_that_lies_is_found_without_checksums(int major) throws IOException {
        ClusterOptions options =
                ClusterOptions.standard().withoutChecksums().with("autovacuum", "off");
        try (TestCluster cluster = TestCluster.create(major, options)) {
            cluster.sql(
                    "CREATE TABLE victim (a int PRIMARY KEY)",
                    "INSERT INTO victim SELECT generate_series(1, 300)");
            flipBit(cluster, "victim_pkey");
            assertThat(StructureJudge.judge(cluster))
                    .isNotEmpty()
                    .allMatch(c -> c.contains("bt_index_parent_check victim_pkey"));
        }
    }

    @Test
    void pg_checksums_is_asked_on_15() throws IOException {
        DebianPrograms.assume("pg_checksums");
        try (TestCluster cluster = TestCluster.create(DebianPrograms.MAJOR)) {
            cluster.sql("CREATE TABLE victim AS SELECT i FROM generate_series(1, 1000) i");
            cluster.stop();
            assertThat(StructureJudge.checksums(cluster.dataDirectory())).isEmpty();
            cluster.start();
            flipBit(cluster, "victim");
            cluster.stop();
            assertThat(StructureJudge.checksums(cluster.dataDirectory()))
                    .anyMatch(c -> c.contains("checksum verification failed"));
        }
    }

    /// In the first row of the last page, while the server is down; runs it again after. after.
    private static void flipBit(TestCluster cluster, String relation) throws IOException {
        Path file =
                cluster.dataDirectory()
                        .resolve(cluster.value("SELECT pg_relation_filepath('" + relation + "')"));
        cluster.stop();
        try (RandomAccessFile page = new RandomAccessFile(file.toFile(), "rw")) {
            long at = page.length() - 24; // in an index the key, before the special space
            page.seek(at);
            int old = page.read();
            page.seek(at);
            page.write(old ^ 0x40);
        }
        cluster.start();
    }
}
