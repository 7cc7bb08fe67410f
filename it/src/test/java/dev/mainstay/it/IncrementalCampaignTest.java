package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.backup.ClusterBackup.Request;
import dev.mainstay.postgres.cluster.PostgresServer.StopMode;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.format.Json;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.Versions;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/// Rounds of random work, each followed by an incremental that is judged: the log names every page
/// that changed, the backup's files are the cluster's, and every few rounds those of a full backup;
/// restored, it has the content the cluster had.
///
/// `-Dmainstay.it.rounds=300` for the campaign, `-Dmainstay.it.seed=N` for another history,
/// `-Dmainstay.it.versions=all` for all versions. A failure names seed, round and steps.
class IncrementalCampaignTest {
    private static final int ROUNDS = Integer.getInteger("mainstay.it.rounds", 4);
    private static final long SEED = Long.getLong("mainstay.it.seed", 20261121);

    /// So often, and at the end, a backup is restored and compared with a full one.
    private static final int JUDGED_WHOLE = ROUNDS < 10 ? ROUNDS : 10;

    @TempDir private Path folder;

    /// One history, and what was done in it.
    private record History(
            int major, boolean checksums, boolean hintsLogged, long seed, boolean streamed) {
        static History of(int major, boolean streamed) {
            boolean checksums = (SEED + major) % 2 == 0;
            boolean hintsLogged = !checksums && (SEED + major) % 4 == 1;
            return new History(major, checksums, hintsLogged, SEED + major, streamed);
        }

        ClusterOptions options() {
            ClusterOptions options =
                    ClusterOptions.standard()
                            .with("wal_log_hints", hintsLogged ? "on" : "off")
                            .with("track_commit_timestamp", "on");
            if (streamed) {
                options = options.with("summarize_wal", "on");
            }
            return checksums ? options : options.withoutChecksums();
        }
    }

    static Stream<Integer> versions() {
        return Versions.selected().stream();
    }

    @ParameterizedTest
    @MethodSource("versions")
    void everyIncrementalHoldsWhatAFullWould(int major) throws Exception {
        History history = History.of(major, false);
        try (IncrementalSite site = new IncrementalSite(major, history.options(), folder);
                Rounds rounds = new Rounds(history, site)) {
            rounds.begin();
            for (int round = 1; round <= ROUNDS; round++) {
                rounds.round(round);
            }
            rounds.tell();
        }
    }

    static Stream<Integer> versionsWithSummaries() {
        return Versions.selected().stream().filter(major -> major >= 17);
    }

    /// The same over the replication protocol, by what the server says has changed.
    @ParameterizedTest
    @MethodSource("versionsWithSummaries")
    void everyStreamedIncrementalHoldsWhatAFullWould(int major) throws Exception {
        History history = History.of(major, true);
        try (IncrementalSite site = new IncrementalSite(major, history.options(), folder);
                Rounds rounds = new Rounds(history, site.streaming())) {
            rounds.begin();
            for (int round = 1; round <= ROUNDS; round++) {
                rounds.round(round);
            }
            rounds.tell();
        }
    }

    private static final class Rounds implements AutoCloseable {
        private final History history;
        private final IncrementalSite site;
        private final Random random;
        private final int promotion;
        private final List<String> steps = new ArrayList<>();
        private Workload workload;
        private IncrementalSteps own;
        private CommittedBackup last;
        private long pages;
        private long masked;
        private long named;
        private int busy;
        private int crashes;
        private int byTheLog;

        Rounds(History history, IncrementalSite site) {
            this.history = history;
            this.site = site;
            this.random = new Random(history.seed);
            IncrementalSteps.prepare(site.cluster(), site.home.directory("space"));
            this.workload = Workload.of(site.cluster(), history.seed);
            this.own = new IncrementalSteps(site.cluster(), random);
            this.promotion = ROUNDS < 10 ? 3 : 3 + random.nextInt(ROUNDS - 3);
            this.last = site.backUp(Request.Type.FULL);
        }

        /// Writers that work until they are told to pause.
        void begin() {
            workload.start(2);
            workload.pause();
        }

        void round(int number) throws Exception {
            steps.clear();
            try {
                work(number);
                judge(number % JUDGED_WHOLE == 0 || number == ROUNDS);
            } catch (Exception | AssertionError failed) {
                throw new AssertionError(
                        history
                                + " (mainstay.it.seed "
                                + SEED
                                + "), round "
                                + number
                                + ": "
                                + steps,
                        failed);
            }
        }

        private void work(int number) throws SQLException {
            int mood = random.nextInt(10);
            if (number == promotion) {
                promote(number);
            } else if (mood == 0 && number > 2) {
                steps.add("hints only");
                own.hints();
                return;
            }
            boolean concurrent = mood < 7;
            if (concurrent) {
                steps.add("(writers)");
                workload.resume();
            } else {
                workload.run(20);
            }
            try {
                someSteps();
                if (number == 1 || random.nextInt(4) == 0) {
                    steps.add("(backup)");
                    busy++;
                    last = site.backUp(Request.Type.INCREMENTAL);
                    someSteps();
                }
                if (number == 2 || random.nextInt(8) == 0) {
                    steps.add("(crash)");
                    crashes++;
                    site.cluster().stop(StopMode.IMMEDIATE);
                    site.cluster().start();
                }
            } finally {
                if (concurrent) {
                    workload.pause();
                }
            }
        }

        private void someSteps() throws SQLException {
            int count = 1 + random.nextInt(5);
            for (int i = 0; i < count; i++) {
                steps.add(own.next());
            }
        }

        private void promote(int number) {
            steps.add("(promotion)");
            workload.close();
            site.promote("next_" + number);
            workload = Workload.of(site.cluster(), history.seed + number);
            own = new IncrementalSteps(site.cluster(), random);
            begin();
        }

        private void judge(boolean whole) {
            ContentDigest content = ContentDigest.of(site.cluster());
            site.settle();
            CommittedBackup backup = site.backUp(Request.Type.INCREMENTAL);
            assertThat(backup.type()).isEqualTo("incremental");
            readByTheLog(backup);
            FileJudge.Judgement same = site.compareWithCluster(backup);
            assertThat(same.complaints()).as("stored and live files").isEmpty();
            pages += same.pages();
            masked += same.masked();
            named += site.requireNamed(last, backup).named();
            last = backup;
            if (whole) {
                CommittedBackup full = site.full();
                assertThat(site.compareWithFull(backup, full).complaints())
                        .as("files of the incremental and of a full backup")
                        .isEmpty();
                site.restore(backup, random.nextBoolean(), content);
            }
        }

        /// Nothing here keeps the log from telling what changed.
        private void readByTheLog(CommittedBackup backup) {
            if (backup.details().has("changes")) {
                Json changes = backup.details().object("changes");
                Optional<String> reason = changes.find("reason");
                if (history.streamed && site.wasPromoted() && reason.isPresent()) {
                    // the standby was not there when the backup before was taken
                    assertThat(reason.get()).contains("WAL summaries are required on timeline");
                    return;
                }
                assertThat(reason).as("why everything was read").isEmpty();
                byTheLog++;
            }
        }

        void tell() {
            System.out.println(
                    history
                            + " (mainstay.it.seed "
                            + SEED
                            + "): "
                            + ROUNDS
                            + " rounds, "
                            + byTheLog
                            + " of their backups by the log, "
                            + busy
                            + " backups under load, "
                            + crashes
                            + " crashes, timeline "
                            + BackupDetails.read(last.details()).timeline()
                            + "; "
                            + pages
                            + " pages compared, "
                            + masked
                            + " of them other in hints; the log named "
                            + named);
        }

        @Override
        public void close() {
            workload.close();
        }
    }
}
