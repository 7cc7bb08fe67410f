package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PostgresServer;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// `mainstay restore` as it is typed: on one cluster with a tablespace, a backup, and a log that
/// goes on a little.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RestoreOnServersTest {
    private static final int VERSION = 15;
    private static final String MARKER = "mainstay-restore-incomplete";

    private TestCluster cluster;
    private CommandSite site;
    private Path space = Path.of("");

    RestoreOnServersTest() throws IOException {
        cluster = TestCluster.create(VERSION, ClusterOptions.standard().withWalSegmentMib(1));
        site = CommandSite.of(cluster);
    }

    @BeforeAll
    void protect() {
        space = cluster.home().directory("space");
        site.grant();
        try (CommandSite.Receiving _ = site.receive()) {
            cluster.sql(
                    "CREATE TABLESPACE space LOCATION '" + space + "'",
                    "CREATE TABLE away TABLESPACE space AS SELECT generate_series(1, 1000) AS i",
                    "CREATE TABLE t AS SELECT generate_series(1, 1000) AS i");
            site.run("backup", "orders").exits(0);
            cluster.sql("INSERT INTO t VALUES (0)", "SELECT pg_switch_wal()");
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

    private static Path spaceOf(Path to) {
        return to.resolveSibling(to.getFileName() + "-space");
    }

    private CommandSite.Answer restore(Path to, String... more) {
        return site.run(
                Stream.concat(
                                Stream.of(
                                        "restore",
                                        "orders",
                                        "--to",
                                        to.toString(),
                                        "--tablespace",
                                        space + "=" + spaceOf(to)),
                                Stream.of(more))
                        .toArray(String[]::new));
    }

    /// Everything below some directories: names, and what links lead to.
    private static Set<String> everything(Path... directories) throws IOException {
        Set<String> all = new TreeSet<>();
        for (Path directory : directories) {
            try (Stream<Path> paths = Files.walk(directory)) {
                paths.map(Path::toString).forEach(all::add);
            }
        }
        return all;
    }

    @Test
    void whatMustNotHappenIsRefusedBeforeAnythingIsWritten() throws IOException {
        Path fresh = site.path("fresh");
        assertThat(restore(fresh, "--target-time", "2999-01-01 00:00:00+00").exits(1).err())
                .contains("[MS-0803] time 2999-01-01T00:00:00Z cannot be reached: ")
                .contains("the latest that can be reached is ", "HINT: ");
        assertThat(restore(fresh, "--target-name", "nowhere").exits(1).err())
                .contains("[MS-0803] restore point 'nowhere' cannot be reached");
        assertThat(restore(fresh, "--timeline", "9").exits(1).err())
                .contains("[MS-0803] the repository has no 00000009.history");
        assertThat(restore(fresh, "--tablespace", "/a=/b").exits(1).err())
                .contains("[MS-0805] the backup has no tablespace in /a");
        for (String plan : List.of("--plan", "--yes")) {
            String[] unmapped = {"restore", "orders", "--to", fresh.toString(), plan};
            assertThat(site.run(unmapped).exits(1).err())
                    .contains("[MS-0805] tablespace ", " cannot go to " + space);
            assertThat(restore(cluster.dataDirectory(), plan).exits(1).err())
                    .contains("[MS-0802] server ", " is running on ", "stop the server first");
            Path unknown = site.path("unknown" + plan);
            Files.createDirectory(unknown);
            Files.writeString(unknown.resolve("letter"), "dear");
            assertThat(restore(unknown, plan).exits(1).err())
                    .contains("[MS-0801] " + unknown + " is not an empty directory");
            assertThat(unknown.resolve("letter")).hasContent("dear");
            assertThat(everything(unknown)).hasSize(2);
        }
        restore(fresh, "--plan").exits(0).says("this restore is possible; nothing was done");
        assertThat(fresh).doesNotExist();
        assertThat(spaceOf(fresh)).doesNotExist();
    }

    @Test
    void validatingWritesNothingAndFindsAFlippedByte() throws IOException {
        Path fresh = site.path("fresh");
        String valid = restore(fresh, "--validate-only").exits(0).out();
        assertThat(valid).contains("everything this restore needs is there and whole");
        Matcher first = Pattern.compile("wal first: +([0-9A-F]{24})").matcher(valid);
        assertThat(first.find()).isTrue();
        for (String kind : List.of("packs/base/", "wal/")) {
            Path object = object(kind, kind.equals("wal/") ? first.group(1) : "");
            flip(object);
            assertThat(restore(fresh, "--validate-only").exits(1).err())
                    .as(kind)
                    .containsPattern("\\[MS-0(205|207|304|305)\\]")
                    .contains(object.getFileName().toString(), "HINT: ");
            flip(object);
        }
        restore(fresh, "--validate-only").exits(0);
        assertThat(fresh).doesNotExist();
        assertThat(spaceOf(fresh)).doesNotExist();
    }

    /// The largest object of a kind.
    private Path object(String kind, String name) throws IOException {
        Path repository = site.path("repository");
        try (Stream<Path> all = Files.walk(repository)) {
            return all.filter(Files::isRegularFile)
                    .filter(file -> repository.relativize(file).toString().startsWith(kind))
                    .filter(file -> file.getFileName().toString().contains(name))
                    .max(Comparator.comparingLong(file -> file.toFile().length()))
                    .orElseThrow();
        }
    }

    private static void flip(Path object) throws IOException {
        byte[] content = Files.readAllBytes(object);
        content[content.length / 2] ^= 4;
        Files.delete(object);
        Files.write(object, content);
    }

    /// As a damaged repository, a full disk or a power failure leave it.
    private Path interrupted(String name) throws IOException {
        Path half = site.path(name);
        Path object = object("packs/base/", "");
        flip(object);
        assertThat(restore(half).exits(1).err())
                .contains(half + " holds half a restore, which no server can start");
        flip(object);
        assertThat(half.resolve(MARKER)).exists();
        assertThat(half.resolve(ControlFile.PATH)).doesNotExist();
        assertThat(spaceOf(half).resolve(MARKER)).exists();
        return half;
    }

    @Test
    void halfARestoreIsRemovedOnlyWhenThatIsSaid() throws IOException {
        Path half = interrupted("half");
        Path halfSpace = spaceOf(half);
        Set<String> before = everything(half, halfSpace);
        assertThat(restore(half).exits(1).err())
                .contains("[MS-0801] " + half + " holds a restore that was interrupted")
                .contains("--yes");
        restore(half, "--plan").exits(0).says(half.toString(), halfSpace.toString());

        Path stranger = Files.writeString(halfSpace.resolve("letter"), "dear");
        assertThat(restore(half, "--yes").exits(1).err())
                .contains(stranger + " was not put there by the interrupted restore");
        Files.delete(stranger);
        Path full = Files.createDirectory(site.path("full"));
        Files.writeString(full.resolve("letter"), "dear");
        String[] intoFull = {
            "restore",
            "orders",
            "--yes",
            "--to",
            half.toString(),
            "--tablespace",
            space + "=" + full,
        };
        assertThat(site.run(intoFull).exits(1).err())
                .contains("[MS-0805]", " cannot go to " + full);
        assertThat(everything(half, halfSpace)).isEqualTo(before);

        restore(half, "--yes").exits(0).says("orders is restored in " + half);
        assertThat(half.resolve(ControlFile.PATH)).exists();
        assertThat(half.resolve(MARKER)).doesNotExist();
        assertThat(halfSpace.resolve(MARKER)).doesNotExist();
        before = everything(half, halfSpace);
        assertThat(restore(half, "--yes").exits(1).err())
                .contains("[MS-0801] " + half + " is not an empty directory");
        assertThat(everything(half, halfSpace)).isEqualTo(before);
    }

    @Test
    void commandsRunAroundARestoreAndBeforeAnythingIsTouched() throws IOException {
        String plain = site.source("orders", cluster.port());
        Path seen = site.path("seen");
        Path to = site.path("hooked");
        try {
            site.configure(plain + "    restore: { before: 'echo stopping; exit 7' }\n");
            assertThat(restore(to).exits(1).err())
                    .contains(
                            "before: stopping", "[MS-0810] restore.before 'echo stopping; exit 7'")
                    .contains("ended with status 7; nothing was changed");
            assertThat(to).doesNotExist();
            assertThat(spaceOf(to)).doesNotExist();

            site.configure(
                    plain
                            + """
                                restore:
                                  before: test ! -e "$MAINSTAY_TARGET_DIRECTORY"
                                  after: ['echo $MAINSTAY_SOURCE $MAINSTAY_PHASE $MAINSTAY_BACKUP > %s', 'false']
                            """
                                    .formatted(seen)
                                    .indent(0));
            restore(to, "--plan").exits(0);
            restore(to, "--validate-only").exits(0);
            assertThat(seen).doesNotExist();
            assertThat(restore(to).exits(1).err())
                    .contains("[MS-0814] the restore is complete, but restore.after 'false'");
            assertThat(to.resolve(ControlFile.PATH)).exists();
            assertThat(Files.readString(seen)).startsWith("orders after 20");
            // it would only stop the application for nothing
            assertThat(restore(to).exits(1).err()).contains("[MS-0801]");
        } finally {
            site.configure(plain);
        }
    }

    @Test
    void whatWasThereIsSetAsideAndComesBack() throws IOException {
        Path to = site.path("replaced");
        restore(to).exits(0);
        Files.writeString(to.resolve("global/stray"), "of the previous one");
        Set<String> before = everything(to, spaceOf(to));
        assertThat(restore(to, "--keep-previous", "--delta", "--yes").exits(2).err())
                .contains("[MS-0405] --delta rewrites", "leave out --delta");
        assertThat(restore(site.path("fresh"), "--undo").exits(1).err())
                .contains("[MS-0815] nothing was set aside");
        restore(to, "--keep-previous", "--plan").exits(0).says("keeps previous");
        assertThat(everything(to, spaceOf(to))).isEqualTo(before);

        restore(to, "--keep-previous").exits(0).says(to + ".previous-");
        assertThat(to.resolve("global/stray")).doesNotExist();
        assertThat(to.resolve(ControlFile.PATH)).exists();
        assertThat(spaceOf(to)).isNotEmptyDirectory();
        restore(to, "--undo").exits(0).says(to + " is what it was before the restore");
        assertThat(everything(to, spaceOf(to))).isEqualTo(before);
    }

    /// With all its files, the marker among them, half a restore may be the template of a cluster.
    @Test
    void aCopyOfHalfARestoreIsNobodysToRemove() throws Exception {
        Path half = interrupted("original");
        Path copy = site.path("copy");
        assertThat(
                        new ProcessBuilder("cp", "-a", half.toString(), copy.toString())
                                .inheritIO()
                                .start()
                                .waitFor())
                .isZero();
        Set<String> before = everything(copy, spaceOf(half));
        assertThat(restore(copy, "--yes").exits(1).err())
                .contains("[MS-0801] " + copy + " holds what looks like a restore")
                .contains("was not written whole and for this very directory");
        assertThat(everything(copy, spaceOf(half))).isEqualTo(before);
    }

    @Test
    void startsTheServerAndSaysHowFarItCame() throws IOException {
        // Stands for the launcher, which this process was not started by.
        Path program = site.path("mainstay");
        Files.writeString(program, "#!/bin/sh\nexit 1\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        ServerUser.giveToUnprivileged(program);
        System.setProperty("mainstay.program", program.toString());
        Path directory = site.path("started");
        PostgresServer server = server(directory);
        try {
            // The backup's own log is not served: the server must not come up by itself.
            assertThat(start(site.path("without-log")).exits(1).err())
                    .contains("[MS-0807] the restored server did not come up")
                    .contains("could not locate required checkpoint record");
            Files.writeString(program, served());
            start(directory)
                    .exits(0)
                    .says("recovered, accepting connections", "postgres", "template1");
            assertThat(server.isRunning()).isTrue();
            Set<String> before = everything(directory.resolve("base"), spaceOf(directory));
            assertThat(restore(directory, "--yes").exits(1).err()).contains("[MS-0802] server ");
            assertThat(everything(directory.resolve("base"), spaceOf(directory))).isEqualTo(before);
        } finally {
            System.clearProperty("mainstay.program");
            server.stop(PostgresServer.StopMode.FAST, Duration.ofSeconds(60));
        }
    }

    private CommandSite.Answer start(Path directory) {
        return restore(
                directory,
                "--target",
                "immediate",
                "--target-action",
                "promote",
                "--start",
                "--port",
                "5498",
                "--bin-directory",
                cluster.binDirectory().toString());
    }

    private PostgresServer server(Path directory) {
        return PostgresServer.of(
                new PostgresServer.Options(
                        cluster.binDirectory(),
                        directory,
                        "",
                        5498,
                        Optional.of(directory),
                        Map.of(),
                        site.path("log")));
    }

    /// A script that copies what the archive holds, fetched beforehand as this user.
    private String served() throws IOException {
        Path archive = Files.createDirectory(site.path("served"));
        long last = 40;
        for (long number = 1; number < last; number++) {
            String name = "00000001%08X%08X".formatted(0, number);
            site.runIn(
                    cluster.dataDirectory(),
                    "--config",
                    site.path("mainstay.yaml").toString(),
                    "wal",
                    "get",
                    "--source",
                    "orders",
                    name,
                    archive.resolve(name).toString());
        }
        ServerUser.giveToUnprivileged(archive);
        return """
        #!/bin/sh
        while [ $# -gt 2 ]; do shift; done
        cp "%s/$1" "$2" 2>/dev/null || exit 1
        """
                .formatted(archive);
    }
}
