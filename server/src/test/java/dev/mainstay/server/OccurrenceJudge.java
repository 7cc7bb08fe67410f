package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.repository.AuditProof;
import dev.mainstay.repository.AuditState;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.job.Job;
import dev.mainstay.server.job.JobAttempt;
import dev.mainstay.server.job.JobKind;
import dev.mainstay.server.job.JobState;
import dev.mainstay.server.job.JobTable;
import dev.mainstay.server.schedule.Occurrence;
import dev.mainstay.server.schedule.ScheduleTable;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.StateDatabase;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Judges what servers that shared a state left behind: whether each time of each schedule has one outcome, each job one end
/// that is true, and each backup one job.
final class OccurrenceJudge {
    private static final int ALL = 1_000_000;
    private static final Duration STEP = Duration.ofMinutes(1);

    /// In which a server has looked at all schedules.
    private static final Duration A_LOOK = Duration.ofSeconds(30);

    private final JdbcClient jdbc;
    private final Repository repository;
    private final Span span;
    private final List<Kill> kills;
    private final JobTable table;
    private final Map<String, Job> jobs;
    private final AuditTrail trail;

    /// Between these a server was there all the time.
    record Span(Instant from, Instant until) {}

    /// @param jobs that it ran
    record Kill(String server, Instant at, List<String> jobs) {}

    OccurrenceJudge(
            StateDatabase state, Repository repository, Span span, List<Kill> kills) {
        this.jdbc = JdbcClient.create(state.source());
        this.repository = repository;
        this.span = span;
        this.kills = kills;
        this.table =
                new JobTable(jdbc, TransactionOperations.withoutTransaction(), (_, _, _, _) -> {});
        this.jobs =
                table.list(Optional.empty(), Optional.empty(), Optional.empty(), ALL).stream()
                                .collect(Collectors.toMap(Job::id, each -> each));
        this.trail =
                new AuditTrail(
                        jdbc,
                        TransactionOperations.withoutTransaction(),
                        Ground.ofThisHost(),
                        new ServerName("judge"));
    }

    /// @param schedules all that there are, each of one-minute steps
    void judge(List<String> schedules) {
        Map<String, List<Occurrence>> times = new HashMap<>();
        ScheduleTable recorded = new ScheduleTable(jdbc);
        schedules.forEach(key -> times.put(key, recorded.occurrences(key, ALL).reversed()));
        tell(times);
        theTrailHoldsAndSaysUpToWhere();
        times.forEach((key, each) -> noneIsLost(key, each, recorded.next(key).orElseThrow()));
        eachStartedOneHasItsJob(times);
        times.forEach(this::whatWasLeftOutHadToBe);
        eachJobEndedAsItDid();
        eachAttemptIsOnRecord();
        oneWriterAtATime();
        eachBackupHasItsJob();
        nothingIsLeftOver();
        assertThat(
                        new Verification(
                                        repository,
                                        RepositoryCheck.Options.everything(),
                                        Progress.none())
                                .run()
                                .ok())
                .as("the repository verifies")
                .isTrue();
    }

    private Job job(String id) {
        return Optional.ofNullable(jobs.get(id))
                .orElseThrow(() -> new AssertionError("there is no job " + id));
    }

    private void tell(Map<String, List<Occurrence>> times) {
        Map<String, Long> outcomes =
                times.values().stream()
                        .flatMap(List::stream)
                        .collect(
                                Collectors.groupingBy(
                                        each -> each.outcome().toString(),
                                        TreeMap::new,
                                        Collectors.counting()));
        Map<String, Long> ends =
                jobs.values().stream()
                        .collect(
                                Collectors.groupingBy(
                                        each -> each.request().kind().word() + " " + each.state().word(),
                                        TreeMap::new,
                                        Collectors.counting()));
        System.out.println(
                outcomes + ", jobs " + ends + ", killed in " + kills.stream().map(Kill::jobs).toList());
    }

    private void noneIsLost(String key, List<Occurrence> there, Instant next) {
        Instant first = span.from.truncatedTo(ChronoUnit.MINUTES).plus(STEP);
        List<Instant> expected = new ArrayList<>();
        Instant from = there.isEmpty() || first.isBefore(there.getFirst().time()) ? first : there.getFirst().time();
        for (Instant each = from; each.isBefore(next); each = each.plus(STEP)) {
            expected.add(each);
        }
        assertThat(next).as(key + ": the last time").isAfter(span.until.minus(STEP));
        assertThat(there.stream().map(Occurrence::time).toList()).as(key).isEqualTo(expected);
    }

    private void eachStartedOneHasItsJob(Map<String, List<Occurrence>> times) {
        List<String> started = new ArrayList<>();
        times.forEach(
                (key, all) ->
                        all.forEach(
                                each -> {
                                    boolean begins =
                                            each.outcome() == Occurrence.Outcome.STARTED;
                                    assertThat(each.job().isPresent()).isEqualTo(begins);
                                    if (begins) {
                                        String id = each.job().orElseThrow();
                                        assertThat(job(id).request().requestedBy())
                                                .isEqualTo("schedule " + key);
                                        started.add(id);
                                    }
                                }));
        assertThat(started).doesNotHaveDuplicates().hasSameElementsAs(jobs.keySet());
    }

    /// None was missed but while all stood still, and none was left out but for the one before.
    private void whatWasLeftOutHadToBe(String key, List<Occurrence> all) {
        for (Occurrence each : all) {
            String what = key + " " + each.time() + " is " + each.outcome();
            switch (each.outcome()) {
                case STARTED -> {}
                case MISSED ->
                        assertThat(jobs.values())
                                .as(what + " in spite of")
                                .noneMatch(
                                        job ->
                                                job.created().isAfter(each.time().plus(A_LOOK))
                                                        && job.created()
                                                                .isBefore(each.time().plus(STEP)));
                case SKIPPED ->
                        assertThat(jobs.values())
                                .as(what + " because of")
                                .anyMatch(
                                        job ->
                                                job.request()
                                                                .requestedBy()
                                                                .equals("schedule " + key)
                                                        && job.created().isBefore(each.time())
                                                        && job.ended()
                                                                .orElseThrow()
                                                                .isAfter(each.time()));
            }
        }
    }

    private void eachJobEndedAsItDid() {
        Set<String> killed = kills.stream().map(Kill::server).collect(Collectors.toSet());
        for (Kill kill : kills) {
            for (String id : kill.jobs) {
                Job job = job(id);
                boolean ended = job.ended().orElseThrow().isBefore(kill.at); // its last word was still on the way
                assertThat(job.state() == JobState.INTERRUPTED || ended)
                        .as("job " + id + ", which ran when its server was killed, is " + job.state())
                        .isTrue();
            }
        }
        for (Job job : jobs.values()) {
            if (job.state() != JobState.INTERRUPTED) {
                assertThat(job.state()).as(job.toString()).isEqualTo(JobState.DONE);
                continue;
            }
            boolean lost = job.failure().orElseThrow().message().contains("stopped answering");
            assertThat(lost).as(job.toString()).isEqualTo(killed.contains(job.server().orElseThrow()));
            assertThat(job.failure().orElseThrow().error()).isEqualTo("MS-0407");
        }
    }

    /// Only what failed was tried again, and nothing twice at a time.
    private void eachAttemptIsOnRecord() {
        for (Job job : jobs.values()) {
            List<JobAttempt> all = table.attempts(job.id());
            assertThat(all).as(job.toString()).hasSize(job.attempts());
            for (int i = 0; i < all.size() - 1; i++) {
                assertThat(all.get(i).state()).as(all.toString()).isEqualTo(JobState.FAILED);
                assertThat(all.get(i).ended().orElseThrow())
                        .as(all.toString())
                        .isBeforeOrEqualTo(all.get(i + 1).started());
            }
            assertThat(all.getLast().state()).as(all.toString()).isEqualTo(job.state());
        }
    }

    private void oneWriterAtATime() {
        Map<String, List<Job>> lanes =
                jobs.values().stream()
                        .filter(job -> job.request().kind() != JobKind.VERIFY)
                        .sorted(Comparator.comparing(job -> job.started().orElseThrow()))
                        .collect(Collectors.groupingBy(job -> job.request().target()));
        lanes.forEach(
                (lane, all) -> {
                    for (int i = 1; i < all.size(); i++) {
                        assertThat(all.get(i).started().orElseThrow())
                                .as(lane + ": " + all.get(i).id() + " begins after " + all.get(i - 1).id())
                                .isAfterOrEqualTo(all.get(i - 1).ended().orElseThrow());
                    }
                });
    }

    /// Since a source has one writer, the job of a backup is the one that was tried when it began; of its attempts at most
    /// one commits.
    private void eachBackupHasItsJob() {
        Map<String, String> backups = new HashMap<>();
        repository
                .sources()
                .forEach(
                        source ->
                                source.backups()
                                        .forEach(
                                                each ->
                                                        backups.merge(
                                                                jobOf(source.name(), each),
                                                                each.id().text(),
                                                                (one, two) -> {
                                                                    throw new AssertionError(
                                                                            one + " and " + two
                                                                                    + " are of one job");
                                                                })));
        for (Job job : jobs.values()) {
            if (job.request().kind() == JobKind.BACKUP && job.state() == JobState.DONE) {
                assertThat(backups.get(job.id()))
                        .as("what is told of job " + job.id() + " is what the repository has")
                        .isEqualTo(job.result().get("backup"));
            }
        }
        assertThat(backups).isNotEmpty();
    }

    private String jobOf(String source, CommittedBackup backup) {
        List<String> running =
                jobs.values().stream()
                        .filter(job -> job.request().kind() == JobKind.BACKUP)
                        .filter(job -> job.request().target().equals(source))
                        .filter(
                                job ->
                                        table.attempts(job.id()).stream()
                                                .filter(each -> !each.started().isAfter(backup.begin()))
                                                .anyMatch(
                                                        each ->
                                                                !each.ended()
                                                                        .orElseThrow()
                                                                        .isBefore(backup.begin())))
                        .map(Job::id)
                        .toList();
        assertThat(running).as("jobs that took backup " + backup.id()).hasSize(1);
        return running.getFirst();
    }

    private void nothingIsLeftOver() {
        assertThat(jdbc.sql("select job from writer").query(String.class).list()).isEmpty();
        assertThat(
                        jdbc.sql("select task_instance from scheduled_tasks where task_name = 'job'")
                                .query(String.class)
                                .list())
                .isEmpty();
    }

    private void theTrailHoldsAndSaysUpToWhere() {
        AuditProof.Report report = new AuditProof(repository, Optional.of(trail)).run();
        assertThat(report.findings()).isEmpty();
        assertThat(report.trails()).hasSize(1);
        AuditProof.Trail proved = report.trails().getFirst();
        assertThat(proved.published()).isEqualTo(proved.entries());
        assertThat(proved.head()).isNotEqualTo(dev.mainstay.repository.AuditEntry.NONE);
        assertThat(proved.when().orElseThrow()).isAfter(span.until);
        Map<String, List<String>> told = new HashMap<>();
        for (AuditState.Kept each : trail.entries(proved.trail(), 1, ALL)) {
            String[] target = each.entry().facts().target().split(" ", -1);
            String id = target[target.length - 1];
            String action = each.entry().facts().action();
            if (action.equals("job queued") || action.equals("job ended")) {
                told.computeIfAbsent(id, _ -> new ArrayList<>()).add(each.entry().facts().outcome());
            }
        }
        assertThat(told.keySet()).isEqualTo(jobs.keySet());
        jobs.forEach(
                (id, job) ->
                        assertThat(told.get(id))
                                .as("what the trail says of job " + id)
                                .containsExactly(
                                        "queued",
                                        job.state().word()
                                                + job.failure().map(why -> " " + why.error()).orElse("")));
    }
}
