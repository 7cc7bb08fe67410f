package dev.mainstay.server.alert;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.metrics.CopyFacts;
import dev.mainstay.server.metrics.HostFacts;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.metrics.SpaceFacts;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

class RulebookTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private static List<Finding> judge(Scene scene, String settings) {
        Configuration configuration = Scene.configuration(settings);
        return new Rulebook(
                        () -> configuration.server().watch().alerts(), () -> new Rhythm(configuration))
                .judge(scene.facts(), scene.now)
                .findings();
    }

    /// What is just not so yet, what is just so, and what is found then.
    private record Case(
            AlertRule rule,
            String subject,
            Severity severity,
            Consumer<Scene> notYet,
            Consumer<Scene> so,
            String part) {}

    private static void problem(Scene scene, ErrorCode code, Duration since) {
        scene.problem = Optional.of(new ClusterFacts.Problem(code, "no"));
        scene.downFor = since;
    }

    private static SpaceFacts space(long free, Optional<Duration> left) {
        return new SpaceFacts("repository", "/r", 1, free, 1000, left);
    }

    private static CopyFacts copy(Optional<Duration> lag, Optional<String> problem) {
        return new CopyFacts("offsite", Scene.NOON, problem, lag, Optional.of(1L));
    }

    private static ClusterFacts.Slot slot(String status, long retained) {
        return new ClusterFacts.Slot("s", status, false, retained, OptionalLong.empty());
    }

    private static List<Case> cases() {
        Consumer<Scene> nothing = _ -> {};
        List<Case> cases = new ArrayList<>();
        cases.add(
                new Case(
                        AlertRule.BACKUP_FAILED,
                        "orders",
                        Severity.CRITICAL,
                        scene -> scene.failed("backup", "orders", ErrorCode.STORE_UNAVAILABLE, Duration.ofHours(11)),
                        scene -> scene.failed("backup", "orders", ErrorCode.STORE_UNAVAILABLE, Duration.ofHours(10)),
                        "it broke"));
        cases.add(
                new Case(
                        AlertRule.BACKUP_TIMED_OUT,
                        "orders",
                        Severity.CRITICAL,
                        nothing,
                        scene -> scene.failed("backup", "orders", ErrorCode.JOB_TIMED_OUT, MINUTE),
                        "MS-1207"));
        cases.add(
                new Case(
                        AlertRule.BACKUP_OVERDUE,
                        "orders",
                        Severity.HIGH,
                        // 01:00, up to ten minutes of jitter, and an hour: about 25 h after the last
                        scene -> scene.now = Instant.parse("2026-03-13T02:10:00Z"),
                        scene -> scene.now = Instant.parse("2026-03-13T02:10:01Z"),
                        "01:10:00Z"));
        cases.add(
                new Case(
                        AlertRule.BACKUP_SLOW,
                        "orders",
                        Severity.WARNING,
                        scene -> scene.replaceNewest(880, 10_000_000_000L, 100_000_000),
                        scene -> scene.replaceNewest(950, 10_000_000_000L, 100_000_000),
                        "1.6 times the usual"));
        cases.add(
                new Case(
                        AlertRule.BACKUP_SIZE,
                        "orders",
                        Severity.WARNING,
                        scene -> scene.replaceNewest(600, 6_000_000_000L, 100_000_000),
                        scene -> scene.replaceNewest(600, 4_000_000_000L, 100_000_000),
                        "restores to"));
        cases.add(
                new Case(
                        AlertRule.BACKUP_SIZE,
                        "orders",
                        Severity.WARNING,
                        scene -> scene.replaceNewest(600, 10_000_000_000L, 140_000_000),
                        scene -> scene.replaceNewest(600, 10_000_000_000L, 160_000_000),
                        "stored"));
        cases.add(
                new Case(
                        AlertRule.RESTORE_FAILED,
                        "orders",
                        Severity.CRITICAL,
                        nothing,
                        scene -> scene.failed("restore", "orders", ErrorCode.INTERNAL, MINUTE),
                        "it broke"));
        cases.add(
                new Case(
                        AlertRule.WAL_STALLED,
                        "orders",
                        Severity.HIGH,
                        scene -> scene.lost = Duration.ofHours(1),
                        scene -> scene.lost = Duration.ofHours(1).plusSeconds(1),
                        "behind the server"));
        cases.add(
                new Case(
                        AlertRule.WAL_GAP,
                        "orders",
                        Severity.CRITICAL,
                        nothing,
                        scene -> scene.gaps = 1,
                        "1 stretch of WAL"));
        cases.add(
                new Case(
                        AlertRule.SLOT_RETAINS,
                        "orders/s",
                        Severity.HIGH,
                        scene -> scene.slots.add(slot("extended", 10L << 30)),
                        scene -> scene.slots.add(slot("extended", (10L << 30) + 1)),
                        "used by nobody"));
        cases.add(
                new Case(
                        AlertRule.SLOT_RETAINS,
                        "orders/s",
                        Severity.CRITICAL,
                        scene -> scene.slots.add(slot("reserved", 1)),
                        scene -> scene.slots.add(slot("lost", 1)),
                        "lost"));
        cases.add(
                new Case(
                        AlertRule.SPACE_FULL,
                        "repository",
                        Severity.CRITICAL,
                        scene -> scene.spaces.add(space(50, Optional.empty())),
                        scene -> scene.spaces.add(space(49, Optional.empty())),
                        "are free in /r"));
        cases.add(
                new Case(
                        AlertRule.SPACE_FILLING,
                        "repository",
                        Severity.HIGH,
                        scene -> scene.spaces.add(space(500, Optional.of(Duration.ofDays(7)))),
                        scene -> scene.spaces.add(space(500, Optional.of(Duration.ofDays(6)))),
                        "two weeks"));
        cases.add(
                new Case(
                        AlertRule.COPY_BEHIND,
                        "offsite",
                        Severity.HIGH,
                        scene -> scene.copy = Optional.of(copy(Optional.of(Duration.ofHours(26)), Optional.empty())),
                        scene -> scene.copy = Optional.of(copy(Optional.of(Duration.ofHours(27)), Optional.empty())),
                        "27 h old"));
        cases.add(
                new Case(
                        AlertRule.COPY_BEHIND,
                        "offsite",
                        Severity.HIGH,
                        scene -> scene.copy = Optional.of(copy(Optional.of(Duration.ZERO), Optional.empty())),
                        scene -> scene.copy = Optional.of(copy(Optional.empty(), Optional.of("gone"))),
                        "cannot be read: gone"));
        cases.add(
                new Case(
                        AlertRule.VERIFY_FAILED,
                        "orders",
                        Severity.HIGH,
                        nothing,
                        scene -> scene.failed("verify", "orders", ErrorCode.VERIFY_FAILED, MINUTE),
                        "it broke"));
        for (String kind : List.of("verify-backup", "validate-restore")) {
            cases.add(
                    new Case(
                            AlertRule.VERIFY_FAILED,
                            "orders",
                            Severity.HIGH,
                            scene -> {
                                scene.failed(kind, "orders", ErrorCode.VERIFY_FAILED, MINUTE);
                                verifiedBefore(scene, Duration.ZERO);
                            },
                            scene -> {
                                scene.failed(kind, "orders", ErrorCode.VERIFY_FAILED, MINUTE);
                                scene.done(kind, "orders", Duration.ZERO);
                            },
                            "it broke"));
        }
        cases.add(
                new Case(
                        AlertRule.LOCKS_LACKING,
                        "orders",
                        Severity.HIGH,
                        nothing,
                        scene -> scene.failed("verify", "orders", ErrorCode.LOCKS_LACKING, MINUTE),
                        "it broke"));
        cases.add(
                new Case(
                        AlertRule.INTEGRITY_FAILED,
                        "orders",
                        Severity.CRITICAL,
                        nothing,
                        scene -> scene.failed("amcheck", "orders", ErrorCode.CLUSTER_DAMAGED, MINUTE),
                        "it broke"));
        cases.add(
                new Case(
                        AlertRule.INTEGRITY_FAILED,
                        "orders",
                        Severity.HIGH,
                        nothing,
                        scene -> scene.failed("amcheck", "orders", ErrorCode.AMCHECK_MISSING, MINUTE),
                        "it broke"));
        cases.add(
                new Case(
                        AlertRule.VERIFY_OVERDUE,
                        "orders",
                        Severity.WARNING,
                        scene -> verifiedBefore(scene, Duration.ofDays(3)),
                        scene -> verifiedBefore(scene, Duration.ofDays(3).plusSeconds(1)),
                        "3 d"));
        cases.add(
                new Case(
                        AlertRule.RETENTION_STUCK,
                        "orders",
                        Severity.WARNING,
                        scene -> expiredBefore(scene, Duration.ofDays(3), 2),
                        scene -> expiredBefore(scene, Duration.ofDays(4), 2),
                        "2 backups"));
        cases.add(
                new Case(
                        AlertRule.RETENTION_STUCK,
                        "",
                        Severity.WARNING,
                        nothing,
                        scene -> scene.failed("prune", "", ErrorCode.STORE_REFUSED, MINUTE),
                        "prune failed"));
        cases.add(
                new Case(
                        AlertRule.CERTIFICATE_ENDS,
                        "",
                        Severity.WARNING,
                        scene -> scene.certificate = Optional.of(Scene.NOON.plus(Duration.ofDays(14))),
                        scene -> scene.certificate = Optional.of(Scene.NOON.plus(Duration.ofDays(13))),
                        "2026-03-25"));
        cases.add(
                new Case(
                        AlertRule.CERTIFICATE_ENDS,
                        "",
                        Severity.HIGH,
                        nothing,
                        scene -> scene.certificate = Optional.of(Scene.NOON.plus(Duration.ofHours(23))),
                        "2026-03-13"));
        cases.add(
                new Case(
                        AlertRule.TOKEN_ENDS,
                        "t1",
                        Severity.WARNING,
                        scene -> scene.tokens.add(token(Duration.ofDays(7))),
                        scene -> scene.tokens.add(token(Duration.ofDays(6))),
                        "6 d"));
        cases.add(
                new Case(
                        AlertRule.CONFIGURATION_REFUSED,
                        "",
                        Severity.HIGH,
                        nothing,
                        scene -> scene.refusal = Optional.of("MS-0403: unknown key 'sorces'"),
                        "unknown key 'sorces'"));
        cases.add(
                new Case(
                        AlertRule.CLOCK_SKEW,
                        "orders",
                        Severity.WARNING,
                        scene -> scene.clockAhead = Duration.ofSeconds(-30),
                        scene -> scene.clockAhead = Duration.ofSeconds(-31),
                        "31 s behind"));
        cases.add(
                new Case(
                        AlertRule.CLOCK_SKEW,
                        "",
                        Severity.WARNING,
                        scene -> scene.storeAhead = Duration.ofSeconds(30),
                        scene -> scene.storeAhead = Duration.ofSeconds(31),
                        "31 s ahead of this host's"));
        cases.add(
                new Case(
                        AlertRule.RPO_MISSED,
                        "orders",
                        Severity.HIGH,
                        scene -> scene.lost = Duration.ofDays(1),
                        scene -> scene.lost = Duration.ofHours(25),
                        "2026-03-11T11:00:00Z"));
        cases.add(
                new Case(
                        AlertRule.RTO_MISSED,
                        "orders",
                        Severity.HIGH,
                        scene -> scene.restores = took(Duration.ofHours(4)),
                        scene -> scene.restores = took(Duration.ofHours(5)),
                        "5 h"));
        cases.add(
                new Case(
                        AlertRule.PRIMARY_DOWN,
                        "orders",
                        Severity.CRITICAL,
                        scene -> problem(scene, ErrorCode.SERVER_UNREACHABLE, MINUTE.minusSeconds(1)),
                        scene -> problem(scene, ErrorCode.SERVER_UNREACHABLE, MINUTE),
                        "MS-0501"));
        cases.add(
                new Case(
                        AlertRule.PRIMARY_DOWN,
                        "orders",
                        Severity.HIGH,
                        nothing,
                        scene -> problem(scene, ErrorCode.SERVER_LOGIN_REFUSED, MINUTE),
                        "MS-0502"));
        cases.add(
                new Case(
                        AlertRule.REPLICATION_LAG,
                        "orders/berlin",
                        Severity.CRITICAL,
                        scene -> scene.standbyLag = Duration.ofMinutes(5),
                        scene -> scene.standbyLag = Duration.ofSeconds(301),
                        "5 min old"));
        cases.add(
                new Case(
                        AlertRule.REPOSITORY_DOWN,
                        "",
                        Severity.CRITICAL,
                        scene -> repository(scene, Duration.ofMinutes(10)),
                        scene -> repository(scene, Duration.ofMinutes(11)),
                        "MS-0102"));
        return cases;
    }

    private static void verifiedBefore(Scene scene, Duration ago) {
        scene.ended.removeIf(job -> job.kind().equals("verify"));
        scene.done("verify", "orders", ago);
    }

    private static void expiredBefore(Scene scene, Duration ago, int removable) {
        scene.ended.removeIf(job -> job.kind().equals("expire"));
        scene.done("expire", "orders", ago);
        scene.removable = removable;
    }

    private static void repository(Scene scene, Duration seen) {
        scene.repositoryProblem = Optional.of("MS-0102: away");
        scene.repositorySeen = seen;
    }

    private static HostFacts.ExpiringToken token(Duration left) {
        return new HostFacts.ExpiringToken("t1", "grafana", Scene.NOON.plus(left));
    }

    private static List<JobFacts.Took> took(Duration time) {
        return List.of(new JobFacts.Took("orders", "", Scene.NOON, time));
    }

    private static List<Finding> of(List<Finding> findings, AlertRule rule, String subject) {
        return findings.stream()
                .filter(each -> each.rule() == rule && each.subject().equals(subject))
                .toList();
    }

    @Test
    void whereAllIsWellNothingIsFound() {
        assertThat(judge(Scene.well(), "")).isEmpty();
    }

    @TestFactory
    List<DynamicTest> eachRuleFindsWhatIsSoAndNotWhatIsNotYet() {
        List<DynamicTest> tests = new ArrayList<>();
        for (Case each : cases()) {
            tests.add(
                    DynamicTest.dynamicTest(
                            each.rule.word() + " " + each.part,
                            () -> {
                                Scene before = Scene.well();
                                each.notYet.accept(before);
                                assertThat(of(judge(before, ""), each.rule, each.subject)).isEmpty();
                                Scene so = Scene.well();
                                each.so.accept(so);
                                List<Finding> found = of(judge(so, ""), each.rule, each.subject);
                                assertThat(found).hasSize(1);
                                Finding finding = found.getFirst();
                                assertThat(finding.severity()).isEqualTo(each.severity);
                                assertThat(finding.reason()).contains(each.part);
                                assertThat(finding.title()).isNotBlank();
                                assertThat(finding.meaning()).isNotBlank();
                                assertThat(finding.todo()).isNotBlank();
                                String off = "alerts: { rules: { " + each.rule.word() + ": off } }";
                                assertThat(of(judge(so, off), each.rule, each.subject)).isEmpty();
                            }));
        }
        return tests;
    }

    @Test
    void everyRuleIsInTheTable() {
        Set<AlertRule> tried = EnumSet.of(AlertRule.BACKUP_COMPLETED);
        cases().forEach(each -> tried.add(each.rule));
        assertThat(tried).containsExactlyInAnyOrder(AlertRule.values());
    }

    @Test
    void whoeverWantsHearsOfBackupsThatAreComplete() {
        Scene scene = Scene.well();
        scene.now = Instant.parse("2026-03-12T01:30:00Z");
        assertThat(judge(scene, "")).isEmpty();
        List<Finding> found = judge(scene, "alerts: { rules: { backup-completed: on } }");
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().severity()).isEqualTo(Severity.INFO);
        scene.now = Instant.parse("2026-03-12T02:30:00Z");
        assertThat(judge(scene, "alerts: { rules: { backup-completed: on } }")).isEmpty();
    }

    @Test
    void thresholdsAndSeveritiesAreAsTheFileSays() {
        Scene scene = Scene.well();
        scene.lost = Duration.ofMinutes(11);
        List<Finding> found =
                judge(scene, "alerts: { rules: { wal-stalled: { after: 10min, severity: critical } } }");
        assertThat(found).hasSize(1);
        assertThat(found.getFirst().severity()).isEqualTo(Severity.CRITICAL);
    }

    @Test
    void aSourceWithoutABackupIsNotProtectedAndOneThatIsBeingBackedUpIsNotOverdue() {
        Scene scene = Scene.well();
        scene.backups.clear();
        assertThat(of(judge(scene, ""), AlertRule.BACKUP_OVERDUE, "orders"))
                .singleElement()
                .satisfies(each -> assertThat(each.meaning()).isEqualTo("Nothing can be recovered."));
        scene.running.add(
                new JobFacts.Running(
                        "j", "backup", "orders", scene.now, Optional.of(scene.now)));
        assertThat(of(judge(scene, ""), AlertRule.BACKUP_OVERDUE, "orders")).isEmpty();
    }

    @Test
    void withoutAScheduleABackupADayIsWanted() {
        Scene scene = Scene.well();
        Configuration off =
                new dev.mainstay.engine.config.ConfigurationReader(java.util.Map.of())
                        .parse(
                                "m.yaml",
                                """
                                repository: { url: file:///r, encryption: none }
                                sources:
                                  orders: { postgres: { url: postgresql://h/d }, schedules: off }
                                """,
                                java.nio.file.Path.of("/"));
        Rulebook rules =
                new Rulebook(
                        () -> off.server().watch().alerts(), () -> new Rhythm(off));
        Instant end = scene.backups.getLast().end();
        scene.now = end.plus(Duration.ofHours(24));
        assertThat(rules.judge(scene.facts(), scene.now).findings()).isEmpty();
        scene.now = scene.now.plusSeconds(1);
        assertThat(rules.judge(scene.facts(), scene.now).findings())
                .extracting(Finding::rule)
                .containsExactly(AlertRule.BACKUP_OVERDUE);
    }

    @Test
    void whatIsNotKnownIsNeitherWrongNorOver() {
        Scene scene = Scene.well();
        scene.archiveKnown = false;
        Configuration configuration = Scene.configuration("");
        Verdict verdict =
                new Rulebook(
                        () -> configuration.server().watch().alerts(), () -> new Rhythm(configuration))
                        .judge(scene.facts(), scene.now);
        assertThat(verdict.findings()).isEmpty();
        assertThat(verdict.unsure())
                .contains("backup-overdue/orders", "wal-stalled/orders", "wal-gap/orders");
    }

    @Test
    void fewBackupsSayNothingOfWhatIsUsual() {
        Scene scene = Scene.well();
        scene.backups.removeIf(each -> each.end().isBefore(Scene.NOON.minus(Duration.ofDays(6))));
        scene.replaceNewest(90_000, 1, 1);
        assertThat(of(judge(scene, ""), AlertRule.BACKUP_SIZE, "orders")).isEmpty();
        assertThat(of(judge(scene, ""), AlertRule.BACKUP_SLOW, "orders")).isEmpty();
    }
}
