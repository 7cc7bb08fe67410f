package dev.mainstay.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// What lies in `deploy/` for Prometheus, Alertmanager and Grafana, judged by their own programs.
public class DeployTest {
    private static final Path DEPLOY = Path.of("../deploy").toAbsolutePath().normalize();
    private static final Pattern OURS =
            Pattern.compile("\\b(?:mainstay|backup|pg_stat|disaster_recovery)_[a-z_]+");

    /// In CI the programs are there, or the build says that they are not.
    private static String program(String name) {
        boolean there = Files.isExecutable(Path.of("/usr/bin", name));
        if (System.getenv("CI") != null) {
            assertThat(there).as(name + " is missing: .ci/run installs it").isTrue();
        }
        assumeTrue(there, name + " is missing: apt-get install prometheus prometheus-alertmanager");
        return "/usr/bin/" + name;
    }

    private static String run(Path folder, String input, String... command) throws Exception {
        Process process =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
        try (var to = process.getOutputStream()) {
            to.write(input.getBytes(StandardCharsets.UTF_8));
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(List.of(command) + "\n" + said).isZero();
        return said;
    }

    /// What the rules and dashboards ask for.
    private static Set<String> used() throws IOException {
        List<String> expressions = new ArrayList<>();
        Files.readString(DEPLOY.resolve("prometheus/mainstay.rules.yml"))
                .lines()
                .filter(line -> line.strip().startsWith("expr:"))
                .forEach(expressions::add);
        assertThat(expressions).hasSizeGreaterThan(10);
        JsonNode dashboard =
                JsonMapper.shared()
                        .readTree(Files.readString(DEPLOY.resolve("grafana/mainstay.json")));
        dashboard.findValues("expr").forEach(each -> expressions.add(each.asString()));
        assertThat(expressions).hasSizeGreaterThan(40);
        Set<String> used = new TreeSet<>();
        for (String expression : expressions) {
            Matcher name = OURS.matcher(expression);
            while (name.find()) {
                used.add(name.group());
            }
        }
        assertThat(used).contains("backup_last_success_timestamp", "mainstay_wal_gaps");
        return used;
    }

    private static Set<String> samples(String scrape) {
        return scrape.lines()
                .filter(line -> !line.startsWith("#"))
                .map(line -> line.split("[{ ]", 2)[0])
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /// Every metric that rules and dashboards use, and every one that operators know by name.
    static void demandThatAllIsIn(String scrape) throws IOException {
        Set<String> wanted = used();
        wanted.addAll(
                List.of(
                        "backup_last_success_timestamp",
                        "backup_job_failures_total",
                        "pg_stat_replication_lag_seconds",
                        "disaster_recovery_rto_seconds",
                        "disaster_recovery_rpo_seconds",
                        "backup_success_total",
                        "backup_failure_total",
                        "backup_duration_seconds"));
        assertThat(samples(scrape)).containsAll(wanted);
    }

    static void demandThatPrometheusReads(String scrape) throws Exception {
        Process process =
                new ProcessBuilder(program("promtool"), "check", "metrics")
                        .redirectErrorStream(true)
                        .start();
        try (var to = process.getOutputStream()) {
            to.write(scrape.getBytes(StandardCharsets.UTF_8));
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isIn(0, 3); // 3: it would name some differently
        assertThat(said).doesNotContain("error while linting", "parsing error");
    }

    @Test
    void prometheusTakesTheRulesAndTheyFireAsTheirOwnTestsSay() throws Exception {
        Path folder = DEPLOY.resolve("prometheus");
        String promtool = program("promtool");
        assertThat(run(folder, "", promtool, "check", "rules", "mainstay.rules.yml"))
                .contains("SUCCESS");
        assertThat(run(folder, "", promtool, "test", "rules", "mainstay.rules.test.yml"))
                .contains("SUCCESS");
        assertThat(run(folder, "", promtool, "check", "config", "--syntax-only", "prometheus.yml"))
                .contains("SUCCESS");
        String rules = Files.readString(folder.resolve("mainstay.rules.yml"));
        assertThat(rules)
                .contains(
                        "PostgresPrimaryDown",
                        "PostgresReplicationLagHigh",
                        "PostgresBackupFailed",
                        "PostgresBackupMissing");
    }

    @Test
    void alertmanagerTakesTheRoutingAndSendsEachSeverityWhereItShould() throws Exception {
        Path folder = DEPLOY.resolve("alertmanager");
        String amtool = program("amtool");
        assertThat(run(folder, "", amtool, "check-config", "alertmanager.yml")).contains("SUCCESS");
        Map<String, String> routes =
                Map.of("critical", "pager", "high", "chat", "warning", "mail", "info", "nobody");
        for (Map.Entry<String, String> each : routes.entrySet()) {
            assertThat(
                            run(
                                    folder,
                                    "",
                                    amtool,
                                    "config",
                                    "routes",
                                    "test",
                                    "--config.file=alertmanager.yml",
                                    "severity=" + each.getKey()))
                    .as(each.getKey())
                    .contains(each.getValue());
        }
    }
}
