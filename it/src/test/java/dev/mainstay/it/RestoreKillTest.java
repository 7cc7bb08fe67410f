package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.it.KillCampaign.Round;
import dev.mainstay.it.KillCampaign.Subject;
import dev.mainstay.it.KillPoint.Course;
import dev.mainstay.it.Program.Child;
import dev.mainstay.it.Watch.Steps.Step;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// Wherever a restore is killed: no server starts on what is there, no second restore touches it,
/// and once it is removed the restore succeeds.
class RestoreKillTest {
    private static final int ATTEMPTS = 6;
    private static final Duration STEP = Duration.ofMillis(3);
    private static final String MARKER = "mainstay-restore-incomplete";

    @TempDir private Path folder;

    static List<Round> rounds() {
        return KillCampaign.rounds(Subject.RESTORE);
    }

    @ParameterizedTest
    @MethodSource("rounds")
    void aKilledRestoreCannotBeStartedAndIsNeverMistakenForAWholeOne(Round round) throws Exception {
        KillCampaign campaign = new KillCampaign(round);
        Random random = round.random();
        try (KillSite site = new KillSite(round.major(), folder)) {
            Path space = site.cluster.home().directory("space");
            ContentDigest content = protect(site, space, round.seed());
            Attempt whole = new Attempt(site, space);
            Course course;
            try (Child restore = whole.start()) {
                course = Course.of(restore, whole.files());
            }
            site.holds(whole.directory, content);
            whole.remove();
            for (int n = 0; n < round.points(); n++) {
                boolean late = n % 2 == 1;
                int each = (round.points() + (late ? 0 : 1)) / 2;
                KillPoint point =
                        late ? lateStep(n / 2, each, random) : course.point(n / 2, each, random);
                String where =
                        "point "
                                + n
                                + " of "
                                + round
                                + ": killed "
                                + point
                                + (late ? " of the last steps" : "");
                try {
                    Attempt attempt = kill(site, space, point, late, campaign);
                    attempt.judge(content);
                    attempt.remove();
                } catch (RuntimeException | Error failed) {
                    throw new AssertionError(where, failed);
                }
            }
        }
        campaign.tell();
        assertThat(campaign.count()).isEqualTo(round.points());
    }

    /// A full and an incremental backup, and WAL behind them.
    private static ContentDigest protect(KillSite site, Path space, long seed) throws Exception {
        try (Workload workload = Workload.of(site.cluster, seed);
                Connection sql = site.cluster.connect();
                Child receiver = site.program.start("wal", "receive", "orders")) {
            site.cluster.sql(
                    "CREATE TABLESPACE space LOCATION '" + space + "'",
                    "CREATE TABLE away TABLESPACE space AS SELECT generate_series(1, 50000) AS n");
            receiver.await("a slot", () -> site.slot().isPresent());
            Workload.loadMiB(sql, 8);
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

    private static KillPoint lateStep(int number, int count, Random random) {
        int steps = 6;
        int step = 1 + (int) ((number + random.nextDouble()) / count * steps);
        double share = random.nextBoolean() ? 0 : random.nextDouble();
        return new KillPoint(step, Duration.ofNanos((long) (share * STEP.toNanos())));
    }

    private static Attempt kill(
            KillSite site, Path space, KillPoint first, boolean late, KillCampaign campaign) {
        KillPoint point = first;
        for (int i = 1; i <= ATTEMPTS; i++) {
            Attempt attempt = new Attempt(site, space);
            Watch watch = late ? attempt.lastSteps() : attempt.files();
            try (Child restore = attempt.start()) {
                if (point.kill(restore, watch)) {
                    campaign.killed(attempt.phase());
                    return attempt;
                }
            }
            attempt.remove();
            point = point.earlier();
        }
        throw new AssertionError("the restore is always done before " + point);
    }

    /// One restore into a directory of its own, with a tablespace elsewhere.
    private static final class Attempt {
        private final KillSite site;
        private final Path directory;
        private final Path elsewhere;
        private final String[] command;

        Attempt(KillSite site, Path space) {
            this.site = site;
            this.directory = site.newDirectory();
            this.elsewhere = directory.resolveSibling(directory.getFileName() + "-space");
            this.command =
                    new String[] {
                        "restore",
                        "orders",
                        "--to",
                        directory.toString(),
                        "--tablespace",
                        space + "=" + elsewhere
                    };
        }

        Child start() {
            return site.program.start(command);
        }

        Watch files() {
            return Watch.all(
                    List.of(
                            new Watch.Names(directory, List.of(""), _ -> true),
                            new Watch.Names(elsewhere, List.of(""), _ -> true)));
        }

        Watch lastSteps() {
            Path global = directory.resolve("global");
            return new Watch.Steps(
                    List.of(
                            new Step("files", () -> has(MARKER)),
                            new Step("labelled", () -> has("backup_label")),
                            new Step("signalled", () -> has("recovery.signal")),
                            new Step("manifest", () -> has("backup_manifest")),
                            new Step(
                                    "control file",
                                    () -> Files.exists(global.resolve("pg_control.mainstay"))),
                            new Step("unmarked", () -> has("recovery.signal") && !has(MARKER)),
                            new Step("published", () -> has(ControlFile.PATH))));
        }

        private boolean has(String name) {
            return Files.exists(directory.resolve(name));
        }

        /// How far it came, judged by what is there.
        String phase() {
            Watch steps = lastSteps();
            long reached = steps.events();
            return reached + " " + (reached == 0 ? "not begun" : steps.last());
        }

        void judge(ContentDigest content) {
            if (has(ControlFile.PATH)) {
                // Published, so everything else was durable before.
                assertThat(has(MARKER)).isFalse();
                site.holds(directory, content);
                return;
            }
            String[] again = command;
            if (isBegun(directory)) {
                boolean removable = secondRestoreIsRefused();
                cannotBeStarted();
                if (removable) {
                    again = Arrays.copyOf(command, command.length + 1);
                    again[command.length] = "--yes";
                } else {
                    KillSite.empty(directory);
                    if (isBegun(elsewhere)) {
                        KillSite.empty(elsewhere);
                    }
                }
            }
            site.program.run(again);
            site.holds(directory, content);
        }

        private static boolean isBegun(Path directory) {
            String[] children = directory.toFile().list();
            return children != null && children.length > 0;
        }

        /// @return whether it says that it could remove what is there, as it can but for the
        ///   moments in which the marker is not yet, or no longer, there
        private boolean secondRestoreIsRefused() {
            try (Child again = start()) {
                assertThat(again.awaitEnd()).as("%s", again).isEqualTo(1);
                assertThat(again.output())
                        .contains(ErrorCode.RESTORE_DIRECTORY_UNSAFE.id())
                        .contains("a restore that was interrupted");
                return again.output().contains("--yes");
            }
        }

        /// Not even where the configuration lies elsewhere, as Debian has it.
        private void cannotBeStarted() {
            Path settings = site.emptyFile();
            try (TestCluster half =
                    TestCluster.adopt(
                            site.cluster.major(),
                            directory,
                            ClusterOptions.bare().with("config_file", settings.toString()))) {
                assertThatThrownBy(half::start)
                        .isInstanceOfSatisfying(
                                MainstayException.class,
                                refused ->
                                        assertThat(refused.code())
                                                .isEqualTo(ErrorCode.SERVER_START_FAILED));
                assertThat(half.log())
                        .containsAnyOf(
                                "could not find the database system",
                                "is not a valid data directory");
                assertThat(directory.resolve("postmaster.pid")).doesNotExist();
            }
        }

        void remove() {
            KillSite.delete(directory);
            KillSite.delete(elsewhere);
        }
    }
}
