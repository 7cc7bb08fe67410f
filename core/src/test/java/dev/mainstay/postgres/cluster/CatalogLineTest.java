package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.CatalogEntry.Collation;
import dev.mainstay.postgres.cluster.CatalogEntry.Database;
import dev.mainstay.postgres.cluster.CatalogEntry.Extension;
import dev.mainstay.postgres.cluster.CatalogEntry.Relation;
import dev.mainstay.postgres.cluster.CatalogEntry.Server;
import dev.mainstay.postgres.cluster.CatalogEntry.Tablespace;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

class CatalogLineTest {
    private static final long SEED = 20261121;

    private static Relation relation(String schema, String name) {
        return new Relation(
                4294967295L, 1, 2, 1663, schema, name, 'r', 'p', 3, OptionalLong.empty(), 24576);
    }

    private static List<CatalogEntry> all(String name) {
        Optional<String> some = Optional.of(name);
        Optional<String> none = Optional.empty();
        return List.of(
                new Server(
                        name,
                        150014,
                        8192,
                        7,
                        List.of(new Tablespace(1663, "pg_default"), new Tablespace(1, name))),
                new Server(name, 150014, 8192, 0, List.of()),
                new Database(5, name, 1663, "UTF8", "C", "C", 'c', none, none, none, none),
                new Database(5, name, 1663, name, name, name, 'i', some, some, some, some),
                relation(name, name),
                new Relation(
                        1, 2, 3, 4, "s", name, 't', 'u', 5, OptionalLong.of(Long.MAX_VALUE), 6),
                new Extension(5, name, name, name),
                new Collation(5, 100, name, name, 'd', none, none),
                new Collation(5, 100, name, name, 'i', some, some));
    }

    @Test
    void everyEntryComesBackAsItWasOnOneLineEach() {
        Random random = new Random(SEED);
        List<String> names =
                new ArrayList<>(
                        List.of(
                                "",
                                "plain",
                                "with \"quotes\" and 'others'",
                                "back\\slash \\u0041 \\n",
                                "line\nfeed\r\ttab\u0001\u007f\b\f",
                                "Größe, 表, جدول, 😀, e\u0301, \u2028 \u2029 \ufeff \ufffd",
                                "{\"type\":\"server\"}"));
        for (int i = 0; i < 200; i++) {
            names.add(
                    random.ints(random.nextInt(64), 1, Character.MAX_CODE_POINT)
                            .filter(c -> c < 0xd800 || c > 0xdfff)
                            .collect(
                                    StringBuilder::new,
                                    StringBuilder::appendCodePoint,
                                    StringBuilder::append)
                            .toString());
        }
        List<CatalogEntry> written = new ArrayList<>();
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        for (String name : names) {
            for (CatalogEntry entry : all(name)) {
                byte[] line = CatalogLine.write(entry);
                String text = new String(line, StandardCharsets.UTF_8);
                assertThat(text.indexOf('\n')).as(text).isEqualTo(text.length() - 1);
                assertThat(CatalogLine.parse(line)).as("seed %s", SEED).contains(entry);
                assertThat(CatalogLine.parse(text.strip())).contains(entry);
                written.add(entry);
                lines.writeBytes(line);
            }
        }
        List<CatalogEntry> read = new ArrayList<>();
        CatalogLine.parseAll(lines.toByteArray(), read::add);
        assertThat(read).isEqualTo(written);
    }

    @Test
    void theLineIsPlainJson() {
        assertThat(CatalogLine.write(relation("public", "a \"b\"")))
                .asString(StandardCharsets.UTF_8)
                .isEqualTo(
                        "{\"type\":\"relation\",\"database\":4294967295,\"oid\":1,\"relfilenode\":2,\"tablespace\":1663,\"schema\":\"public\",\"name\":\"a"
                            + " \\\"b\\\"\",\"kind\":\"r\",\"persistence\":\"p\",\"pages\":3,\"bytes\":24576}\n");
    }

    @Test
    void whatALaterVersionAddsIsPassedOver() {
        assertThat(CatalogLine.parse("{\"type\":\"publication\",\"name\":\"p\"}")).isEmpty();
        assertThat(
                        CatalogLine.parse(
                                "{\"new\":{\"a\":[1,{\"b\":2}]},\"type\":\"extension\","
                                        + "\"list\":[1,\"x\",[2],{\"c\":null}],\"real\":1.5,"
                                        + "\"database\":5,\"schema\":\"s\",\"name\":\"n\","
                                        + "\"flag\":true,\"version\":\"1.0\"}"))
                .contains(new Extension(5, "s", "n", "1.0"));
        List<CatalogEntry> read = new ArrayList<>();
        CatalogLine.parseAll(
                "{\"type\":\"publication\"}\n{\"type\":\"extension\",\"database\":5,\"schema\":\"s\",\"name\":\"n\",\"version\":\"1\"}"
                        .getBytes(StandardCharsets.UTF_8),
                read::add);
        assertThat(read).containsExactly(new Extension(5, "s", "n", "1"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "{\"type\":5}",
                "{\"type\":\"extension\"}",
                "{\"type\":\"extension\",",
                "{\"type\":\"publication\"}{}",
                "{\"type\":\"extension\",\"database\":\"5\",\"schema\":\"\",\"name\":\"\",\"version\":\"\"}",
                "{\"type\":\"extension\",\"database\":99999999999999999999,\"schema\":\"\"}",
                "{\"type\":\"server\",\"version\":\"\",\"versionNum\":5000000000,\"blockSize\":1,"
                        + "\"roles\":1,\"tablespaces\":[]}",
                "{\"type\":\"collation\",\"database\":5,\"oid\":1,\"schema\":\"\",\"name\":\"\",\"provider\":\"\"}"
            })
    void refusesDamagedLines(String line) {
        assertThatThrownBy(() -> CatalogLine.parse(line))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.OBJECT_DAMAGED));
    }

    @Test
    void anEntryKnowsTheFileOfItsRelation() {
        assertThat(relation("s", "n").file())
                .contains(new RelationFile(1663, 4294967295L, 2, RelationFile.Fork.MAIN, 0));
        OptionalLong rows = OptionalLong.empty();
        assertThat(new Relation(5, 1, 2, 1664, "s", "n", 'r', 'p', 0, rows, 0).file())
                .contains(new RelationFile(1664, 0, 2, RelationFile.Fork.MAIN, 0));
        assertThat(new Relation(5, 1, 2, 1663, "s", "n", 'r', 't', 0, rows, 0).file()).isEmpty();
        assertThat(new Relation(5, 1, 0, 0, "s", "n", 'v', 'p', 0, rows, 0).file()).isEmpty();
    }
}
