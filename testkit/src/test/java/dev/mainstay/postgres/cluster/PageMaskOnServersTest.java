package dev.mainstay.postgres.cluster;

import static dev.mainstay.postgres.cluster.PageMask.Difference.DIFFERENT;
import static dev.mainstay.postgres.cluster.PageMask.Difference.IDENTICAL;
import static dev.mainstay.postgres.cluster.PageMask.Difference.MASKED;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.cluster.PageMask.Difference;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/// Pages as real servers write them, before and after something happened to them.
final class PageMaskOnServersTest {
    private static final int BLOCK = 8192;

    /// What is made, and of which kind its pages are.
    private static final Map<String, PageKind> RELATIONS = new LinkedHashMap<>();

    static {
        RELATIONS.put("thing", PageKind.HEAP);
        RELATIONS.put("thing_btree", PageKind.BTREE);
        RELATIONS.put("thing_hash", PageKind.HASH);
        RELATIONS.put("thing_gin", PageKind.GIN);
        RELATIONS.put("thing_gist", PageKind.GIST);
        RELATIONS.put("thing_spgist", PageKind.SPGIST);
        RELATIONS.put("thing_brin", PageKind.BRIN);
        RELATIONS.put("ticket", PageKind.SEQUENCE);
    }

    static Stream<Arguments> clusters() {
        return Versions.selected().stream()
                .flatMap(
                        major ->
                                Stream.of(
                                        Arguments.of(major, "checksums"),
                                        Arguments.of(major, "no checksums"),
                                        Arguments.of(major, "wal_log_hints")));
    }

    private static TestCluster create(int major, String protection) {
        ClusterOptions options = ClusterOptions.standard().with("autovacuum", "off");
        TestCluster cluster =
                TestCluster.create(
                        major,
                        switch (protection) {
                            case "checksums" -> options;
                            case "wal_log_hints" ->
                                    options.withoutChecksums().with("wal_log_hints", "on");
                            default -> options.withoutChecksums();
                        });
        cluster.sql(
                "CREATE TABLE thing (id int, tags int[], spot point, at timestamptz, note text)",
                "CREATE INDEX thing_btree ON thing (id)",
                "CREATE INDEX thing_hash ON thing USING hash (id)",
                "CREATE INDEX thing_gin ON thing USING gin (tags)",
                "CREATE INDEX thing_gist ON thing USING gist (spot)",
                "CREATE INDEX thing_spgist ON thing USING spgist (spot)",
                "CREATE INDEX thing_brin ON thing USING brin (at) WITH (pages_per_range = 4)",
                "CREATE SEQUENCE ticket");
        fill(cluster, 1, 3000);
        cluster.sql("SELECT brin_summarize_new_values('thing_brin')", "SELECT nextval('ticket')");
        return cluster;
    }

    private static void fill(TestCluster cluster, int from, int to) {
        cluster.sql(
                "INSERT INTO thing SELECT i, ARRAY[i % 7, i % 11, i], point(i % 101, i % 103),"
                        + " timestamptz '2026-01-01' + i * interval '1 min', md5(i::text)"
                        + " FROM generate_series("
                        + from
                        + ", "
                        + to
                        + ") AS i");
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void pages_show_their_access_method_and_each_changed_byte_is_seen(int major) {
        try (TestCluster cluster = create(major, "checksums")) {
            Map<String, byte[]> files = files(cluster);
            files.forEach(
                    (name, file) -> {
                        for (int at = 0; at < file.length; at += BLOCK) {
                            eachByteOfItems(name, file, at);
                        }
                    });
            RELATIONS.forEach(
                    (name, kind) -> {
                        byte[] file = files.getOrDefault(name, new byte[0]);
                        for (int at = 0; at < file.length; at += BLOCK) {
                            PageKind found = PageKind.of(file, at, BLOCK);
                            if (found != PageKind.NEW) {
                                assertThat(found).as(name + " " + at / BLOCK).isEqualTo(kind);
                            }
                        }
                    });
            whichPagesHadRoom(files.getOrDefault("thing_spgist", new byte[0]));
            cluster.sql("VACUUM thing", "CHECKPOINT");
            byte[] map = read(cluster, "thing", "_vm");
            assertThat(PageKind.of(map, 0, BLOCK)).isEqualTo(PageKind.UNKNOWN);
        }
    }

    @ParameterizedTest
    @MethodSource("clusters")
    void what_is_not_logged_is_masked_and_changes_are_seen(int major, String protection) {
        try (TestCluster cluster = create(major, protection)) {
            hintBits(cluster);
            itemsKilledInAnIndex(cluster);
            changesInEveryAccessMethod(cluster);
        }
    }

    private static void hintBits(TestCluster cluster) {
        Map<String, byte[]> before = files(cluster);
        cluster.sql("SELECT count(*) FROM thing"); // commit bits
        Map<String, byte[]> after = files(cluster);
        assertThat(judge(before, after, "thing")).containsKey(MASKED).doesNotContainKey(DIFFERENT);
        assertThat(judge(after, files(cluster), "thing")).containsOnlyKeys(IDENTICAL);
    }

    private static void itemsKilledInAnIndex(TestCluster cluster) {
        cluster.sql("DELETE FROM thing WHERE id BETWEEN 100 AND 400");
        Map<String, byte[]> before = files(cluster);
        for (String index : new String[] {"thing_btree", "thing_hash", "thing_gist"}) {
            String condition =
                    switch (index) {
                        case "thing_hash" -> "id = i";
                        case "thing_gist" -> "spot <@ box(point(0, 0), point(200, 200))";
                        default -> "id BETWEEN i AND i + 1";
                    };
            String rows = index.equals("thing_gist") ? "1..2" : "100..400";
            cluster.sql(
                    "UPDATE pg_index SET indisvalid = indexrelid = '"
                            + index
                            + "'::regclass WHERE indrelid = 'thing'::regclass",
                    "SET enable_seqscan = off; SET enable_bitmapscan = off;"
                            + " SET enable_indexonlyscan = off; DO $$ BEGIN FOR i IN "
                            + rows
                            + " LOOP PERFORM note FROM thing WHERE "
                            + condition
                            + "; END LOOP; END $$");
            assertThat(judge(before, files(cluster), index))
                    .as(index)
                    .containsKey(MASKED)
                    .doesNotContainKey(DIFFERENT);
        }
        cluster.sql("UPDATE pg_index SET indisvalid = true");
    }

    private static void changesInEveryAccessMethod(TestCluster cluster) {
        Map<String, byte[]> before = files(cluster);
        fill(cluster, 40_000, 40_020);
        cluster.sql(
                "UPDATE thing SET at = at - interval '10 years' WHERE id = 5",
                "SELECT nextval('ticket')");
        Map<String, byte[]> after = files(cluster);
        for (String name : RELATIONS.keySet()) {
            assertThat(judge(before, after, name)).as(name).containsKey(DIFFERENT);
        }
    }

    /// Remembered on the first page of an SP-GiST index, behind its magic number.
    private static void whichPagesHadRoom(byte[] file) {
        PageMask mask = new PageMask(BLOCK);
        byte[] changed = java.util.Arrays.copyOf(file, BLOCK);
        for (int at : new int[] {24, 27, 28, 91, BLOCK - 8, BLOCK - 1}) {
            changed[at] ^= 2;
            assertThat(mask.compare(file, 0, changed, 0, 0))
                    .as("byte " + at)
                    .isEqualTo(at >= 28 && at <= 91 ? MASKED : DIFFERENT);
            changed[at] ^= 2;
        }
    }

    /// Of a heap's items the hint bits, the command number and padding are left out; of an index's
    /// nothing is.
    private static void eachByteOfItems(String name, byte[] file, int at) {
        PageBytes page = new PageBytes(file, at, BLOCK);
        if (page.upper() == 0) {
            return;
        }
        PageMask mask = new PageMask(BLOCK);
        byte[] changed = java.util.Arrays.copyOfRange(file, at, at + BLOCK);
        int block = at / BLOCK;
        boolean heap = RELATIONS.get(name) == PageKind.HEAP;
        for (int number = 1; number <= page.items(); number++) {
            int item = page.item(number);
            int from = PageBytes.itemOffset(item);
            if (from < page.upper() || from + PageBytes.itemLength(item) > page.special()) {
                continue; // a page of another layout
            }
            for (int i = 0; i < PageBytes.itemLength(item); i++) {
                boolean hint = heap && (i >= 8 && i < 12 || i == 20 || i == 21);
                if (hint || i % 16 == 15) { // a sample
                    changed[from + i] ^= 0x50;
                    assertThat(mask.compare(file, at, changed, 0, block))
                            .as(name + " block " + block + " item " + number + " byte " + i)
                            .isEqualTo(hint ? MASKED : DIFFERENT);
                    changed[from + i] ^= 0x50;
                }
            }
        }
    }

    private static Map<Difference, Integer> judge(
            Map<String, byte[]> before, Map<String, byte[]> after, String name) {
        byte[] a = before.getOrDefault(name, new byte[0]);
        byte[] b = after.getOrDefault(name, new byte[0]);
        Map<Difference, Integer> counts = new EnumMap<>(Difference.class);
        PageMask mask = new PageMask(BLOCK);
        for (int at = 0; at < Math.min(a.length, b.length); at += BLOCK) {
            counts.merge(mask.compare(a, at, b, at, at / BLOCK), 1, Integer::sum);
        }
        return counts;
    }

    private static Map<String, byte[]> files(TestCluster cluster) {
        cluster.sql("CHECKPOINT");
        Map<String, byte[]> files = new LinkedHashMap<>();
        RELATIONS.keySet().forEach(name -> files.put(name, read(cluster, name, "")));
        return files;
    }

    private static byte[] read(TestCluster cluster, String name, String fork) {
        String path = cluster.value("SELECT pg_relation_filepath('" + name + "')");
        try {
            return Files.readAllBytes(cluster.dataDirectory().resolve(path + fork));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
