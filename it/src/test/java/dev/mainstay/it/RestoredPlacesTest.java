package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.RestoredConfiguration;
import dev.mainstay.postgres.cluster.ServerUser;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.DebianPrograms;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// Where things go that do not simply lie in the data directory.
class RestoredPlacesTest {
    private static final RestoreTarget IMMEDIATE = new RestoreTarget.Immediate();

    /// Has a judge of its manifest.
    static List<Integer> older() {
        return Versions.selectedElse(DebianPrograms.MAJOR);
    }

    static List<Integer> newest() {
        return Versions.selectedElse(18);
    }

    /// As Debian has it: main file, rules and an empty `conf.d` in a folder of their own, which
    /// name the data directory and each other.
    private static Path debian(TestCluster cluster) throws IOException {
        Path data = cluster.dataDirectory();
        Path etc = cluster.home().directory("etc");
        for (String file : List.of("postgresql.conf", "pg_hba.conf", "pg_ident.conf")) {
            Files.move(data.resolve(file), etc.resolve(file));
        }
        Files.createDirectory(etc.resolve("conf.d"));
        Files.writeString(etc.resolve("extra.conf"), "work_mem = '7MB'\n");
        Path main = etc.resolve("postgresql.conf");
        Files.writeString(
                main,
                Files.readString(main)
                        + """
                        data_directory = '%s'
                        hba_file = '%s/pg_hba.conf'
                        ident_file = '%s/pg_ident.conf'
                        external_pid_file = '%s/pid'
                        include_dir = 'conf.d'
                        include 'extra.conf'
                        """
                                .formatted(data, etc, etc, cluster.home().path()));
        ServerUser.giveToUnprivileged(etc);
        return etc;
    }

    @ParameterizedTest
    @MethodSource("older")
    void configurationFromElsewhereIsPutBesideTheDataOrBackWhereItWas(int major)
            throws IOException {
        try (TestCluster made = TestCluster.create(major, RestoreSite.archiving())) {
            made.stop();
            Path etc = debian(made);
            Path main = etc.resolve("postgresql.conf");
            try (TestCluster cluster =
                    TestCluster.adopt(
                            major,
                            made.dataDirectory(),
                            ClusterOptions.bare().with("config_file", main.toString()))) {
                cluster.start();
                try (RestoreSite site = new RestoreSite(cluster)) {
                    site.backUp();
                    site.archive(cluster);
                    RestorePlan beside = site.wish("beside", IMMEDIATE).restore();
                    Path directory = beside.request().directory();
                    holds(beside, Path.of(directory + "/mainstay-external" + main));
                    assertThat(new RestoredConfiguration(beside).notes()).isEmpty();

                    // what is there is never overwritten, even where it was asked for
                    RestorePlan still =
                            site.wish("still", IMMEDIATE).withOriginalExternals().restore();
                    holds(
                            still,
                            Path.of(still.request().directory() + "/mainstay-external" + main));

                    Files.move(etc, etc.resolveSibling("lost"));
                    RestorePlan back =
                            site.wish("back", IMMEDIATE).withOriginalExternals().restore();
                    assertThat(main).exists();
                    holds(back, main);
                }
            }
        }
    }

    /// The server that is told what the restore says finds everything and starts.
    private static void holds(RestorePlan plan, Path main) throws IOException {
        Path directory = plan.request().directory();
        Map<String, String> settings = new RestoredConfiguration(plan).settings();
        assertThat(settings)
                .containsEntry("config_file", main.toString())
                .containsEntry("hba_file", main.resolveSibling("pg_hba.conf").toString())
                .containsEntry("ident_file", main.resolveSibling("pg_ident.conf").toString())
                .containsEntry("data_directory", directory.toString());
        int major = plan.details().server().versionNum() / 10_000;
        if (major == DebianPrograms.MAJOR) {
            assertThat(StructureJudge.verifyBackup(directory, "--no-parse-wal")).isEmpty();
        }
        ClusterOptions options = ClusterOptions.bare();
        for (Map.Entry<String, String> setting : settings.entrySet()) {
            options = options.with(setting.getKey(), setting.getValue());
        }
        try (TestCluster restored = TestCluster.adopt(major, directory, options)) {
            restored.start();
            assertThat(restored.value("SHOW work_mem")).isEqualTo("7MB");
            assertThat(restored.value("SHOW data_directory")).isEqualTo(directory.toString());
            assertThat(restored.value("SHOW hba_file"))
                    .isEqualTo(main.resolveSibling("pg_hba.conf").toString());
        }
    }

    @ParameterizedTest
    @MethodSource("newest")
    void linksBecomeWhatTheyLedToAndAreNamed(int major) throws IOException {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving())) {
            cluster.stop();
            Path data = cluster.dataDirectory();
            Path wal = cluster.home().path().resolve("wal");
            Files.move(data.resolve("pg_wal"), wal);
            Files.createSymbolicLink(data.resolve("pg_wal"), wal);
            Path notes = Files.writeString(cluster.home().directory("notes").resolve("n"), "text");
            Files.createSymbolicLink(data.resolve("notes"), notes.getParent());
            Files.createSymbolicLink(data.resolve("note"), notes);
            Files.createSymbolicLink(data.resolve("nowhere"), Path.of("/does/not/exist"));
            ServerUser.giveToUnprivileged(cluster.home().path());
            cluster.start();
            try (RestoreSite site = new RestoreSite(cluster)) {
                site.backUp();
                site.archive(cluster);
                RestorePlan plan = site.wish("linked", IMMEDIATE).restore();
                assertThat(plan.warnings())
                        .anySatisfy(
                                each -> assertThat(each).contains("pg_wal was a link to " + wal))
                        .anySatisfy(each -> assertThat(each).contains("notes was a link to"))
                        .anySatisfy(each -> assertThat(each).contains("nowhere was a link to"));
                Path directory = plan.request().directory();
                for (String name : List.of("pg_wal", "notes", "nowhere")) {
                    assertThat(
                                    Files.isDirectory(
                                            directory.resolve(name), LinkOption.NOFOLLOW_LINKS))
                            .as(name)
                            .isTrue();
                    assertThat(Files.getPosixFilePermissions(directory.resolve(name)).toString())
                            .doesNotContain("OTHERS");
                }
                assertThat(directory.resolve("notes/n")).hasContent("text");
                assertThat(directory.resolve("note")).hasContent("text").isRegularFile();
                assertThat(Files.isSymbolicLink(directory.resolve("note"))).isFalse();
                if (major == DebianPrograms.MAJOR) {
                    assertThat(StructureJudge.verifyBackup(directory, "--no-parse-wal")).isEmpty();
                }
                try (TestCluster restored =
                        TestCluster.adopt(major, directory, ClusterOptions.bare())) {
                    restored.start();
                    Await.until(
                            "the end of recovery",
                            () -> restored.value("SELECT pg_is_in_recovery()").equals("f"));
                    assertThat(StructureJudge.judge(restored)).isEmpty();
                }
            }
        }
    }
}
