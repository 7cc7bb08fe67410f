package dev.mainstay.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.List;

final class ContentDigestTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void names_each_part_that_changed_and_nothing_else(int major) {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE TABLE t (t int, b text)",
                    "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 100) i",
                    "CREATE UNLOGGED TABLE u (a int)",
                    "CREATE SEQUENCE s",
                    "CREATE DATABASE other");
            ContentDigest before = ContentDigest.of(cluster);
            assertThat(before.parts())
                    .contains("postgres: rows of public.t", "postgres: sequence public.s")
                    .doesNotContain("postgres: rows of public.u");

            cluster.sql("INSERT INTO u VALUES (1)", "VACUUM FULL t");
            ContentDigest same = ContentDigest.of(cluster);
            assertThat(before.differences(same)).isEmpty();
            assertThat(same.sha256()).isEqualTo(before.sha256());

            cluster.sql(
                    "UPDATE t SET b = 'x' WHERE t = 7",
                    "SELECT nextval('s')",
                    "SELECT lo_from_bytea(77777, 'abc')",
                    "CREATE ROLE somebody");
            cluster.sqlIn("other", "CREATE TABLE o (a int PRIMARY KEY)");
            ContentDigest after = ContentDigest.of(cluster);
            List<String> differences = before.differences(after);
            assertThat(
                            differences.stream()
                                    .map(
                                            d ->
                                                    d.substring(
                                                            0,
                                                            d.indexOf(": [") < 0
                                                                    ? d.length()
                                                                    : d.indexOf(": ["))))
                    .contains(
                            "roles",
                            "postgres: large objects",
                            "postgres: rows of public.t",
                            "other: relations",
                            "other: columns",
                            "other: constraints",
                            "other: indexes",
                            "other: rows of public.o");
            assertThat(differences).anyMatch(d -> d.startsWith("postgres: sequence public.s"));
            assertThat(after.sha256()).isNotEqualTo(before.sha256());
        }
    }

    @Test
    void lets_a_recovered_sequence_stand_at_its_last_wal_record_only() {
        try (TestCluster cluster = TestCluster.create(18)) {
            cluster.sql("CREATE SEQUENCE s", "SELECT nextval('s')", "SELECT nextval('s')");
            ContentDigest before = ContentDigest.of(cluster);
            cluster.crash();
            cluster.start();
            ContentDigest recovered = ContentDigest.of(cluster);
            assertThat(before.differences(recovered)).hasSize(1);
            assertThat(before.differencesAfterRecovery(recovered)).isEmpty();
            cluster.sql("SELECT nextval('s')");
            assertThat(before.differencesAfterRecovery(ContentDigest.of(cluster))).hasSize(1);
        }
    }
}
