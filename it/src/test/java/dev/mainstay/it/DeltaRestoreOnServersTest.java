package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.it.Program.Child;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;

/// A cluster that went on, and was damaged, is brought back in place, whatever interrupts it.
class DeltaRestoreOnServersTest {
    private static final long SEED = Long.getLong("mainstay.it.seed", 20261121);
    private static final int KILLS = 3;
    private static final int LONGEST_MILLIS = 250;
    private static final int STARTING_MILLIS = 900;
    private static final String MARK = "mainstay-delta-incomplete";

    @TempDir private Path folder;

    static List<Integer> versions() {
        return Versions.selected();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void whatWentOnAndWasDamagedIsBroughtBack(int major) throws Exception {
        Random random = new Random(SEED + major);
        try (KillSite site = new KillSite(major, folder)) {
            Path space = site.cluster.home().directory("space");
            ContentDigest content = protect(site, space);
            Path directory = site.newDirectory();
            Path elsewhere = directory.resolveSibling(directory.getFileName() + "-space");
            String[] plain = {
                "restore",
                "orders",
                "--to",
                directory.toString(),
                "--tablespace",
                space + "=" + elsewhere
            };
            site.program.run(plain);
            Map<String, String> restored = tree(directory, elsewhere);
            String[] delta = Arrays.copyOf(plain, plain.length + 2);
            delta[plain.length] = "--delta";
            delta[plain.length + 1] = "--yes";

            site.holds(directory, content);
            goOn(site, directory, delta);
            Path precious = damage(directory, elsewhere);
            Map<String, String> preciousBefore = tree(precious);
            for (int kill = 0; kill < KILLS; kill++) {
                interrupt(site, directory, plain, delta, random);
            }
            String told = site.program.run(delta);
            assertThat(told).contains("kept", "rewritten", "fetched", "files removed");
            assertThat(tree(directory, elsewhere)).isEqualTo(restored);
            assertThat(tree(precious)).isEqualTo(preciousBefore);
            site.holds(directory, content);
        }
    }

    private static ContentDigest protect(KillSite site, Path space) throws Exception {
        try (Workload workload = Workload.of(site.cluster, SEED);
                Connection sql = site.cluster.connect();
                Child receiver = site.program.start("wal", "receive", "orders")) {
            site.cluster.sql(
                    "CREATE TABLESPACE space LOCATION '" + space + "'",
                    "CREATE TABLE away TABLESPACE space AS SELECT generate_series(1, 50000) AS n");
            receiver.await("a slot", () -> site.slot().isPresent());
            Workload.loadMiB(sql, 24);
            workload.run(20);
            site.program.run("backup", "orders");
            workload.run(20);
            site.program.run("backup", "orders");
            workload.run(20);
            ContentDigest content = ContentDigest.of(site.cluster);
            KillSite.awaitStored(receiver, site.flushed());
            receiver.stop();
            return content;
        }
    }

    /// The restored server writes; meanwhile nobody restores over it.
    private static void goOn(KillSite site, Path directory, String[] delta) {
        try (TestCluster restored =
                TestCluster.adopt(site.cluster.major(), directory, ClusterOptions.bare())) {
            restored.start();
            restored.sql(
                    "CREATE TABLE later AS SELECT generate_series(1, 100000) AS n",
                    "DROP TABLE away",
                    "VACUUM FULL pg_class",
                    "CHECKPOINT");
            try (Child refused = site.program.start(delta)) {
                assertThat(refused.awaitEnd()).as("%s", refused).isEqualTo(1);
                assertThat(refused.output())
                        .contains(ErrorCode.RESTORE_SERVER_RUNNING.id(), "is running on");
            }
            assertThat(restored.value("SELECT count(*) FROM later")).isEqualTo("100000");
        }
    }

    /// @return a directory that links lead to
    private Path damage(Path directory, Path elsewhere) throws IOException {
        Path base = directory.resolve("base");
        Path precious = folder.resolve("precious");
        Files.move(base.resolve("1"), precious);
        Files.createSymbolicLink(base.resolve("1"), precious);
        Path database;
        try (Stream<Path> all = Files.list(base)) {
            database =
                    all.filter(path -> !Files.isSymbolicLink(path))
                            .max((a, b) -> Integer.compare(files(a), files(b)))
                            .orElseThrow();
        }
        List<Path> large = new ArrayList<>();
        try (Stream<Path> all = Files.list(database)) {
            all.filter(file -> file.toFile().length() > 200_000).sorted().forEach(large::add);
        }
        try (RandomAccessFile file = new RandomAccessFile(large.get(0).toFile(), "rw")) {
            file.setLength(file.length() / 2 + 11);
        }
        try (RandomAccessFile file = new RandomAccessFile(large.get(1).toFile(), "rw")) {
            file.seek(file.length() + 5);
            file.write(7);
            file.seek(100_000);
            file.write(new byte[100]);
        }
        Files.delete(database.resolve("1255"));
        Files.writeString(database.resolve("99999"), "added");
        Files.writeString(directory.resolve("stray"), "added");
        try (Stream<Path> all = Files.walk(elsewhere)) {
            for (Path file : (Iterable<Path>) all.filter(Files::isRegularFile)::iterator) {
                Files.write(file, new byte[10]);
            }
        }
        return precious;
    }

    private static int files(Path directory) {
        String[] names = directory.toFile().list();
        return names == null ? 0 : names.length;
    }

    private static void interrupt(
            KillSite site, Path directory, String[] plain, String[] delta, Random random) {
        Path mark = directory.resolve(MARK);
        Path control = directory.resolve(ControlFile.PATH);
        boolean before = Files.exists(mark);
        try (Child restore = site.program.start(delta)) {
            restore.await("the restore to begin", () -> Files.exists(mark));
            // With a mark from before nobody can tell when it goes on; starting takes as long.
            int millis = random.nextInt(LONGEST_MILLIS) + (before ? STARTING_MILLIS : 0);
            new KillPoint(0, Duration.ofMillis(millis))
                    .kill(restore, new Watch.Names(directory, List.of(), _ -> true));
        }
        if (Files.exists(control)) {
            return; // too late, or before anything happened
        }
        try (Child refused = site.program.start(plain)) {
            assertThat(refused.awaitEnd()).isEqualTo(1);
            assertThat(refused.output())
                    .contains(ErrorCode.RESTORE_DIRECTORY_UNSAFE.id(), "--delta");
        }
        try (TestCluster half =
                TestCluster.adopt(
                        site.cluster.major(),
                        directory,
                        ClusterOptions.bare().with("config_file", site.emptyFile().toString()))) {
            assertThatThrownBy(half::start)
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failed ->
                                    assertThat(failed.code())
                                            .isEqualTo(ErrorCode.SERVER_START_FAILED));
        }
    }

    /// Names, links, modes and content; of what tells when the restore was, only that it is there.
    private static Map<String, String> tree(Path... directories) throws IOException {
        Map<String, String> tree = new TreeMap<>();
        for (Path directory : directories) {
            try (Stream<Path> all = Files.walk(directory)) {
                for (Path path : (Iterable<Path>) all::iterator) {
                    String mode =
                            Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS)
                                    .toString();
                    tree.put(path.toString(), mode + " " + content(path));
                }
            }
        }
        return tree;
    }

    private static String content(Path path) throws IOException {
        if (Files.isSymbolicLink(path)) {
            return "link " + Files.readSymbolicLink(path);
        }
        String name = path.getFileName().toString();
        boolean dated = name.equals("backup_manifest") || name.equals("postgresql.auto.conf");
        return Files.isDirectory(path) || dated
                ? ""
                : Files.size(path) + " " + Arrays.hashCode(Files.readAllBytes(path));
    }
}
