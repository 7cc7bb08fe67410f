package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.DebianPrograms;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/// `mainstay recover table` as it is typed, into the very cluster that lost the table. On version
/// 15 alone: only of that one are the client programs here.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RecoverTableTest {
    private static final String NAME = "public.\"Größe \"\"x\"\" $1\"";
    private static final String CONTENT = "SELECT md5(string_agg(t::text, ',' ORDER BY id)) FROM ";

    private final TestCluster cluster;
    private final CommandSite site;
    private String position = "";
    private String orders = "";
    private String odd = "";

    RecoverTableTest() throws IOException {
        cluster =
                TestCluster.create(
                        DebianPrograms.MAJOR, ClusterOptions.standard().withWalSegmentMib(1));
        site = CommandSite.of(cluster);
    }

    @BeforeAll
    void protectAndLose() throws IOException {
        Files.createDirectories(site.path("sandboxes"));
        site.grant();
        try (CommandSite.Receiving _ = site.receive()) {
            cluster.sql("CREATE ROLE gone", "CREATE ROLE reader", "CREATE DATABASE shop");
            cluster.sqlIn(
                    "shop",
                    "CREATE TABLE customers (id int PRIMARY KEY)",
                    "INSERT INTO customers SELECT generate_series(1, 100)",
                    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS"
                            + " 'BEGIN RETURN NEW; END'",
                    "CREATE TABLE orders (id bigserial PRIMARY KEY, customer int REFERENCES"
                            + " customers, note text, CONSTRAINT positive CHECK (id > 0))",
                    "COMMENT ON TABLE orders IS 'dear'",
                    "CREATE INDEX orders_note ON orders (note)",
                    "CREATE TRIGGER touching BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION"
                            + " touch()",
                    "GRANT SELECT ON orders TO reader",
                    "GRANT SELECT ON orders TO gone",
                    "CREATE TABLE lines (o bigint REFERENCES orders)",
                    "INSERT INTO orders (customer, note) SELECT 1 + i % 100, repeat('n', i) FROM"
                            + " generate_series(1, 2000) i",
                    "CREATE TABLE " + NAME + " (id int PRIMARY KEY, \"Ä.b\" text)",
                    "INSERT INTO " + NAME + " SELECT i, 'ü' || i FROM generate_series(1, 50) i",
                    "CREATE TABLE parts (id int PRIMARY KEY, t text) PARTITION BY RANGE (id)",
                    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
                    "CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)",
                    "INSERT INTO parts SELECT i, 'x' FROM generate_series(1, 19) i",
                    "CREATE VIEW v AS SELECT * FROM parts");
            site.run("backup", "orders").exits(0);
            cluster.sqlIn(
                    "shop",
                    "UPDATE orders SET note = 'later' WHERE id = 7",
                    "CREATE TABLE young AS SELECT 1 AS id");
            orders = cluster.rows("shop", CONTENT + "orders t").getFirst();
            odd = cluster.rows("shop", CONTENT + NAME + " t").getFirst();
            position = cluster.value("SELECT pg_current_wal_insert_lsn()");
            cluster.sqlIn("shop", "DROP TABLE orders CASCADE", "DROP TABLE " + NAME);
            cluster.sqlIn(
                    "shop", "DELETE FROM customers WHERE id = 5", "REVOKE ALL ON parts FROM gone");
            cluster.sql("DROP ROLE gone", "SELECT pg_switch_wal()");
            String now = cluster.value("SELECT pg_current_wal_flush_lsn()");
            Await.until(
                    "the slot to reach " + now,
                    () ->
                            cluster.value(
                                            "SELECT restart_lsn >= '"
                                                    + now
                                                    + "'::pg_lsn FROM pg_replication_slots")
                                    .equals("t"));
        }
    }

    @AfterAll
    void end() {
        site.close();
        cluster.close();
    }

    private CommandSite.Answer recover(String table, String... more) {
        return site.run(words(table, more).toArray(String[]::new));
    }

    private List<String> words(String table, String... more) {
        DebianPrograms.assume("pg_restore");
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "recover",
                                "table",
                                "orders",
                                table,
                                "--database",
                                "shop",
                                "--target-lsn",
                                position,
                                "--exclusive",
                                "--into",
                                "postgresql://postgres@127.0.0.1:" + cluster.port() + "/shop",
                                "--sandbox",
                                site.path("sandboxes").toString(),
                                "--bin-directory",
                                cluster.binDirectory().toString(),
                                "--yes"));
        words.addAll(List.of(more));
        return words;
    }

    /// Neither files nor a server.
    private void nothingIsLeft() {
        assertThat(sandboxes()).isEmpty();
        assertThat(servers()).isEmpty();
    }

    private List<String> sandboxes() {
        try (Stream<Path> left = Files.list(site.path("sandboxes"))) {
            return left.map(Path::toString).toList();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    /// Processes of a server in a sandbox, by their command lines or working directories.
    private List<String> servers() {
        String folder = site.path("sandboxes").toString();
        return ProcessHandle.allProcesses()
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                .filter(
                        process ->
                                text(process.pid(), "cmdline").contains(folder + "/mainstay")
                                        || link(process.pid()).startsWith(folder + "/mainstay"))
                .map(ProcessHandle::toString)
                .toList();
    }

    private static String text(long pid, String file) {
        try {
            return Files.readString(Path.of("/proc/" + pid, file), StandardCharsets.ISO_8859_1);
        } catch (IOException gone) {
            return "";
        }
    }

    private static String link(long pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/cwd")).toString();
        } catch (IOException gone) {
            return "";
        }
    }

    private List<String> rows(String query) {
        return cluster.rows("shop", query);
    }

    @Test
    void aDroppedTableIsBackWithAllThatBelongsToIt() {
        CommandSite.Answer answer = recover("public.orders");
        answer.exits(0)
                .says(
                        "rows",
                        "2000",
                        "last commit",
                        "foreign key orders_customer_fkey could not be made",
                        "foreign key of another table does not come along",
                        "privileges of role gone are left out");
        assertThat(rows(CONTENT + "orders t")).containsExactly(orders);
        assertThat(rows("SELECT obj_description('orders'::regclass)")).containsExactly("dear");
        assertThat(rows("SELECT indexname FROM pg_indexes WHERE tablename = 'orders' ORDER BY 1"))
                .containsExactly("orders_note", "orders_pkey");
        assertThat(
                        rows(
                                "SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders'::regclass"
                                        + " AND NOT tgisinternal"))
                .containsExactly("touching");
        assertThat(rows("SELECT has_table_privilege('reader', 'orders', 'SELECT')"))
                .containsExactly("t");
        assertThat(rows("INSERT INTO orders (note) VALUES ('new') RETURNING id"))
                .containsExactly("2001");
        nothingIsLeft();

        assertThat(recover("public.orders").exits(1).err())
                .contains("[MS-1102] public.orders exists in ");
        // Beside the one that is there: all names but the table's are found by themselves.
        recover("public.orders", "--as", "rescued.\"Old Orders\"").exits(0);
        recover("public.orders", "--as", "orders_before").exits(0);
        assertThat(rows(CONTENT + "rescued.\"Old Orders\" t")).containsExactly(orders);
        assertThat(rows(CONTENT + "orders_before t")).containsExactly(orders);
        assertThat(
                        rows(
                                "SELECT indexname FROM pg_indexes WHERE tablename = 'orders_before'"
                                        + " ORDER BY 1"))
                .containsExactly("orders_before_note", "orders_before_pkey");
        assertThat(rows("INSERT INTO orders_before (note) VALUES ('new') RETURNING id"))
                .containsExactly("2001");
        assertThat(rows("SELECT count(*) FROM orders")).containsExactly("2001");
        nothingIsLeft();
    }

    @Test
    void namesAreTakenAsSqlTakesThem() {
        recover(NAME, "--output", "json").exits(0).says("\"rows\":50");
        assertThat(rows(CONTENT + NAME + " t")).containsExactly(odd);
        assertThat(recover("public.Orderz").exits(1).err())
                .contains("[MS-1101]", "knows no table public.orderz; did you mean public.orders?");
        assertThat(recover("public.v").exits(1).err()).contains("[MS-1101] public.v is no table");
        assertThat(recover("orders").exits(2).err()).contains("[MS-0405] 'orders' names no table");
        assertThat(recover("public.young").exits(1).err())
                .contains("[MS-1101]", "HINT: ", "--created-later");
        recover("public.young", "--created-later", "--as", "young_again").exits(0);
        assertThat(rows("SELECT id FROM young_again")).containsExactly("1");
        nothingIsLeft();
    }

    @Test
    void aPartitionedTableComesWithItsPartitionsAndAPartitionAlone() {
        recover("public.parts", "--as", "parts_before").exits(0).says("parts_before_1");
        assertThat(rows("SELECT count(*) FROM parts_before")).containsExactly("19");
        assertThat(rows("SELECT count(*) FROM parts_before_2")).containsExactly("10");
        recover("public.parts_1", "--as", "part_alone")
                .exits(0)
                .says("it was a partition: ALTER TABLE public.parts ATTACH PARTITION");
        assertThat(rows("SELECT count(*) FROM part_alone")).containsExactly("9");
        nothingIsLeft();
    }

    @Test
    void whatCannotBeDoneIsSaidBeforeAnythingIsRestored() {
        assertThat(recover("public.orders", "--as", "customers").exits(1).err())
                .contains("[MS-1102] public.customers exists in ");
        List<String> elsewhere = words("public.orders", "--as", "n1");
        elsewhere.set(elsewhere.indexOf("--sandbox") + 1, "/nowhere");
        assertThat(site.run(elsewhere.toArray(String[]::new)).exits(1).err())
                .contains("[MS-1104] the sandbox may need ", "/nowhere");
        List<String> misspelt = words("public.orders", "--as", "n1");
        misspelt.set(misspelt.indexOf("--database") + 1, "shopp");
        assertThat(site.run(misspelt.toArray(String[]::new)).exits(1).err())
                .contains("[MS-0811]", "did you mean 'shop'?");
        List<String> unasked = words("public.orders", "--as", "n1");
        unasked.remove("--yes");
        assertThat(site.run(unasked.toArray(String[]::new)).exits(1).err())
                .contains("[MS-0406]", "table public.n1 will be made in ");
        recover("public.orders", "--as", "n2", "--plan").exits(0).says("nothing was done");
        assertThat(rows("SELECT relname FROM pg_class WHERE relname IN ('n1', 'n2')")).isEmpty();
        nothingIsLeft();
    }

    @Test
    void whoIsStoppedCleansUp() {
        stopped(words("public.parts", "--as", "never"));
    }

    /// Signals are lost on a server that has not yet got as far as listening to them.
    @Test
    void whoIsStoppedBeforeTheServerListensCleansUp() throws IOException {
        Path programs = Files.createDirectory(site.path("slow"));
        try (Stream<Path> all = Files.list(cluster.binDirectory())) {
            for (Path program : all.toList()) {
                Files.createSymbolicLink(programs.resolve(program.getFileName()), program);
            }
        }
        Path slow = programs.resolve("postgres");
        Files.delete(slow);
        Files.writeString(
                slow,
                "#!/bin/sh\n[ \"$1\" = -D ] && sleep 2\nexec "
                        + cluster.binDirectory().resolve("postgres")
                        + " \"$@\"\n");
        Files.setPosixFilePermissions(slow, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(programs, PosixFilePermissions.fromString("rwxr-xr-x"));
        List<String> words = words("public.parts", "--as", "never");
        words.set(words.indexOf("--bin-directory") + 1, programs.toString());
        stopped(words);
    }

    private void stopped(List<String> words) {
        List<CommandSite.Answer> answers = new CopyOnWriteArrayList<>();
        Thread command =
                Thread.ofPlatform()
                        .start(() -> answers.add(site.run(words.toArray(String[]::new))));
        Await.until("a server in the sandbox", () -> !servers().isEmpty());
        command.interrupt();
        Await.until("the command to end", () -> !command.isAlive());
        assertThat(answers.getFirst().exits(130).err()).contains("[MS-0407]");
        nothingIsLeft();
        assertThat(rows("SELECT relname FROM pg_class WHERE relname = 'never'")).isEmpty();
    }

    @Test
    void whoIsKilledLeavesNoServerAndTheNextOneCleansUp() throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Mainstay.class.getName(),
                                "--config",
                                site.path("mainstay.yaml").toString()));
        command.addAll(words("public.parts", "--as", "after_all"));
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(site.path("killed.log").toFile())
                        .start();
        Await.until(
                "a server in the sandbox",
                () -> {
                    assertThat(process.isAlive()).as(read(site.path("killed.log"))).isTrue();
                    return servers().size() > 2;
                });
        process.destroyForcibly().waitFor();
        Await.until("all of its server to end", () -> servers().isEmpty());
        assertThat(sandboxes()).hasSize(1);
        assertThat(recover("public.parts", "--as", "after_all").exits(0).err())
                .contains("which a killed process had left");
        assertThat(rows("SELECT count(*) FROM after_all")).containsExactly("19");
        nothingIsLeft();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException unreadable) {
            return "";
        }
    }
}
