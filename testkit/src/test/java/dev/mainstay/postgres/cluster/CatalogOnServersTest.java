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
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/// With a role that may connect and nothing else.
class CatalogOnServersTest {
    private static final String ROLE = "reader";
    private static final String STRANGE = "a \"quoted\"\nline, Größe 表 😀";

    private static String quoted(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }

    private static Function<String, Connection> connector(TestCluster cluster) {
        return database -> {
            try {
                String inUrl =
                        URLEncoder.encode(database, StandardCharsets.UTF_8).replace("+", "%20");
                return cluster.connect(inUrl, ROLE, "");
            } catch (SQLException e) {
                throw new MainstayException(
                        ErrorCode.SERVER_LOGIN_REFUSED, String.valueOf(e.getMessage()), e);
            }
        };
    }

    private static List<CatalogEntry> read(TestCluster cluster) throws SQLException {
        List<CatalogEntry> entries = new ArrayList<>();
        try (Connection server = cluster.connect("postgres", ROLE, "")) {
            CatalogSnapshot.read(server, connector(cluster), entries::add);
        }
        return entries;
    }

    private static <T> List<T> only(List<CatalogEntry> entries, Class<T> type) {
        return entries.stream().filter(type::isInstance).map(type::cast).toList();
    }

    private static <T> T in(Map<String, T> map, String name) {
        return Objects.requireNonNull(map.get(name), name);
    }

    private static long oid(TestCluster cluster, String query) {
        return Long.parseLong(cluster.value("SELECT (" + query + ")::oid"));
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void everyRelationIsNamedWithItsRealFile(int major) throws SQLException {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE ROLE " + ROLE + " LOGIN",
                    "CREATE TABLESPACE aside LOCATION '" + cluster.home().directory("ts") + "'",
                    "CREATE TABLE kept (i int PRIMARY KEY, t text)",
                    "INSERT INTO kept SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i",
                    "CREATE TABLE apart (i int) TABLESPACE aside",
                    "CREATE UNLOGGED TABLE fast (i int)",
                    "CREATE VIEW seen AS SELECT * FROM kept",
                    "CREATE TABLE never_analyzed (i int)",
                    "CREATE SCHEMA " + quoted(STRANGE),
                    "CREATE TABLE " + quoted(STRANGE) + "." + quoted(STRANGE) + " (i int)",
                    "ALTER TABLE kept ADD COLUMN moved int DEFAULT random()", // rewrites
                    "VACUUM FULL pg_catalog.pg_class", // so OID and file differ
                    "ANALYZE kept");
            List<CatalogEntry> entries = read(cluster);
            long postgres = oid(cluster, "SELECT oid FROM pg_database WHERE datname = 'postgres'");
            Map<String, Relation> relations =
                    only(entries, Relation.class).stream()
                            .filter(r -> r.databaseOid() == postgres)
                            .collect(Collectors.toMap(r -> r.schema() + "." + r.name(), r -> r));
            assertThat(relations.keySet())
                    .hasSize(Integer.parseInt(cluster.value("SELECT count(*) FROM pg_class")));
            everyFileExists(cluster, relations.values());
            Relation kept = in(relations, "public.kept");
            assertThat(kept.kind()).isEqualTo('r');
            assertThat(kept.persistence()).isEqualTo('p');
            assertThat(kept.rows()).hasValue(1000);
            assertThat(kept.pages()).isPositive();
            assertThat(kept.bytes()).isEqualTo(kept.pages() * 8192);
            assertThat(kept.oid()).isNotEqualTo(kept.relfilenode());
            assertThat(kept.tablespaceOid()).isEqualTo(RelationFile.DEFAULT_TABLESPACE);
            assertThat(in(relations, "public.never_analyzed").rows()).isEmpty();
            assertThat(in(relations, "public.apart").tablespaceOid())
                    .isEqualTo(
                            oid(cluster, "SELECT oid FROM pg_tablespace WHERE spcname = 'aside'"));
            assertThat(in(relations, "public.fast").persistence()).isEqualTo('u');
            assertThat(in(relations, "public.seen").file()).isEmpty();
            assertThat(in(relations, "pg_catalog.pg_class").relfilenode())
                    .isEqualTo(oid(cluster, "SELECT pg_relation_filenode('pg_class')"))
                    .isNotIn(0L, 1259L);
            assertThat(in(relations, "pg_catalog.pg_database").tablespaceOid())
                    .isEqualTo(RelationFile.GLOBAL_TABLESPACE);
            assertThat(relations).containsKey(STRANGE + "." + STRANGE);
            for (CatalogEntry entry : entries) {
                assertThat(CatalogLine.parse(CatalogLine.write(entry))).contains(entry);
            }
        }
    }

    private static void everyFileExists(TestCluster cluster, Iterable<Relation> relations) {
        int catalog = ControlFile.read(cluster.dataDirectory(), _ -> {}).catalogVersion();
        String version = ServerVersion.ofMajor(cluster.major()).tablespaceDirectory(catalog);
        for (Relation relation : relations) {
            Optional<RelationFile> file = relation.file();
            if (file.isEmpty()) {
                continue;
            }
            RelationFile f = file.get();
            String folder =
                    f.tablespaceOid() == RelationFile.GLOBAL_TABLESPACE
                            ? "global"
                            : f.tablespaceOid() == RelationFile.DEFAULT_TABLESPACE
                                    ? "base/" + f.databaseOid()
                                    : "pg_tblspc/"
                                            + f.tablespaceOid()
                                            + "/"
                                            + version
                                            + "/"
                                            + f.databaseOid();
            Path path = cluster.dataDirectory().resolve(folder + "/" + f.relfilenode());
            assertThat(Files.exists(path)).as("%s of %s", path, relation).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void databasesSayWhatTheyAreAndWhatCouldNotBeRead(int major) throws SQLException {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE ROLE " + ROLE + " LOGIN",
                    "CREATE TABLESPACE aside LOCATION '" + cluster.home().directory("ts") + "'",
                    "CREATE DATABASE closed",
                    "REVOKE CONNECT ON DATABASE closed FROM PUBLIC",
                    "CREATE DATABASE other TABLESPACE aside",
                    "CREATE DATABASE " + quoted(STRANGE),
                    "CREATE DATABASE raw ENCODING 'SQL_ASCII' TEMPLATE template0");
            cluster.sqlIn(
                    "raw",
                    "DO $$ BEGIN EXECUTE format('CREATE TABLE %I (i int)',"
                            + " convert_from('\\x636166e9', 'SQL_ASCII')); END $$");
            cluster.sqlIn(
                    "other",
                    "CREATE SCHEMA ext",
                    "CREATE EXTENSION pg_trgm SCHEMA ext",
                    "CREATE TABLE here (t text COLLATE \"C\")",
                    "CREATE COLLATION ext.own FROM \"C\"");
            List<CatalogEntry> entries = read(cluster);
            Map<String, Database> databases =
                    only(entries, Database.class).stream()
                            .collect(Collectors.toMap(Database::name, d -> d));
            assertThat(databases)
                    .containsOnlyKeys(
                            "postgres",
                            "template0",
                            "template1",
                            "closed",
                            "other",
                            "raw",
                            STRANGE);
            assertThat(in(databases, "template0").unread())
                    .hasValue("the database allows no connections");
            assertThat(in(databases, "closed").unread())
                    .hasValueSatisfying(
                            text -> assertThat(text).contains("MS-0502").contains("permission"));
            for (String name : List.of("postgres", "template1", "other", "raw", STRANGE)) {
                assertThat(in(databases, name).unread()).as(name).isEmpty();
            }
            Database other = in(databases, "other");
            assertThat(other.encoding()).isEqualTo("UTF8");
            assertThat(other.collate()).isEqualTo("C");
            assertThat(other.provider()).isEqualTo('c');
            everyEntryComesBeforeItsDatabase(entries);
            contentsOfOther(entries, other);
            assertThat(relations(entries, in(databases, "raw"))).contains("caf\ufffd");
            serverIsDescribed(entries, major);
        }
    }

    private static List<String> relations(List<CatalogEntry> entries, Database database) {
        return only(entries, Relation.class).stream()
                .filter(r -> r.databaseOid() == database.oid())
                .map(Relation::name)
                .toList();
    }

    private static void contentsOfOther(List<CatalogEntry> entries, Database other) {
        Relation here =
                only(entries, Relation.class).stream()
                        .filter(r -> r.name().equals("here"))
                        .findFirst()
                        .orElseThrow();
        assertThat(other.tablespaceOid()).isGreaterThan(RelationFile.GLOBAL_TABLESPACE);
        assertThat(here.tablespaceOid()).isEqualTo(other.tablespaceOid());
        assertThat(here.databaseOid()).isEqualTo(other.oid());
        assertThat(only(entries, Extension.class))
                .filteredOn(e -> e.databaseOid() == other.oid())
                .extracting(e -> e.schema() + "." + e.name())
                .containsExactly("ext.pg_trgm", "pg_catalog.plpgsql");
        assertThat(only(entries, Collation.class))
                .filteredOn(c -> c.databaseOid() == other.oid())
                .extracting(c -> c.schema() + "." + c.name() + " " + c.provider())
                .contains("ext.own c", "pg_catalog.C c", "pg_catalog.default d");
    }

    private static void everyEntryComesBeforeItsDatabase(List<CatalogEntry> entries) {
        List<Long> done = new ArrayList<>();
        for (CatalogEntry entry : entries) {
            switch (entry) {
                case Server _ -> assertThat(done).isEmpty();
                case Database d -> done.add(d.oid());
                case Relation r -> assertThat(done).doesNotContain(r.databaseOid());
                case Extension e -> assertThat(done).doesNotContain(e.databaseOid());
                case Collation c -> assertThat(done).doesNotContain(c.databaseOid());
            }
        }
    }

    private static void serverIsDescribed(List<CatalogEntry> entries, int major) {
        assertThat(entries.getFirst())
                .isInstanceOfSatisfying(
                        Server.class,
                        server -> {
                            assertThat(server.version()).startsWith("PostgreSQL " + major);
                            assertThat(server.versionNum() / 10_000).isEqualTo(major);
                            assertThat(server.blockSizeBytes()).isEqualTo(8192);
                            assertThat(server.roles()).isGreaterThan(2);
                            assertThat(server.tablespaces())
                                    .contains(new Tablespace(1663, "pg_default"))
                                    .extracting(Tablespace::name)
                                    .contains("aside");
                        });
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void aDatabaseThatFailsHalfwayIsCalledUnreadAndTheConsumersFailureEndsAll(int major)
            throws SQLException {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql("CREATE ROLE " + ROLE + " LOGIN", "CREATE DATABASE broken");
            List<CatalogEntry> entries = new ArrayList<>();
            Function<String, Connection> connect = connector(cluster);
            try (Connection server = cluster.connect("postgres", ROLE, "")) {
                CatalogSnapshot.read(
                        server,
                        name -> {
                            Connection connection = connect.apply(name);
                            if (name.equals("broken")) {
                                cluster.sql(
                                        "SELECT pg_terminate_backend(pid, 60000) FROM"
                                                + " pg_stat_activity WHERE datname = 'broken'");
                            }
                            return connection;
                        },
                        entries::add);
                assertThat(only(entries, Database.class))
                        .filteredOn(d -> d.unread().isPresent())
                        .extracting(Database::name)
                        .containsExactlyInAnyOrder("template0", "broken");
                MainstayException full = new MainstayException(ErrorCode.STORE_FULL, "full");
                assertThatThrownBy(
                                () ->
                                        CatalogSnapshot.read(
                                                server,
                                                connect,
                                                entry -> {
                                                    if (entry instanceof Relation) {
                                                        throw full;
                                                    }
                                                }))
                        .isSameAs(full);
            }
        }
    }
}
