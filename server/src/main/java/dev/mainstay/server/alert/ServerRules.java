package dev.mainstay.server.alert;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.RuleSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.metrics.HostFacts;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.metrics.RepositoryFacts;
import dev.mainstay.server.metrics.SourceFacts;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Servers of sources, their standbys and clocks, and what this server needs itself.
final class ServerRules {
    private final Bench bench;

    ServerRules(Bench bench) {
        this.bench = bench;
    }

    void look(SourceFacts source) {
        String name = source.name();
        bench.facts
                .jobs()
                .newest("amcheck", name)
                .filter(job -> !job.isDone())
                .ifPresent(job -> integrity(name, job));
        if (source.cluster().isEmpty()) {
            bench.unsure(AlertRule.PRIMARY_DOWN, name);
            return;
        }
        ClusterFacts cluster = source.cluster().get();
        cluster.problem().ifPresent(problem -> down(source, cluster, problem));
        cluster.readings()
                .ifPresent(
                        readings -> {
                            if (cluster.up()) {
                                readings.standbys().forEach(each -> lag(name, each));
                                clock(name, readings.clockAhead());
                            } else {
                                bench.unsure(AlertRule.CLOCK_SKEW, name);
                                readings.standbys()
                                        .forEach(
                                                each ->
                                                        bench.unsure(
                                                                AlertRule.REPLICATION_LAG,
                                                                name + "/" + each.name()));
                            }
                        });
    }

    /// A check that could not look is told as well, and does not wake anybody.
    private void integrity(String name, JobFacts.Ended job) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.INTEGRITY_FAILED);
        if (rule.isEmpty()) {
            return;
        }
        boolean damaged = job.error().equals(ErrorCode.CLUSTER_DAMAGED.id());
        bench.found(
                AlertRule.INTEGRITY_FAILED,
                damaged ? rule.get() : rule.get().atMost(Severity.HIGH),
                name,
                job.id(),
                new Bench.Words(
                        damaged
                                ? "The running cluster of " + name + " is damaged"
                                : "The running cluster of " + name + " could not be checked",
                        "Job " + job.id() + ": [" + job.error() + "] " + job.message(),
                        damaged
                                ? "Backups hold the damage as well from when it came; the ones"
                                        + " before do not. Retention goes on removing those."
                                : "Damage that nobody looks for is found by an application.",
                        damaged
                                ? "Hold a backup from before: mainstay backups hold ID. REINDEX an"
                                        + " index that is named; bring rows back with mainstay"
                                        + " recover table."
                                : "Mend the cause, then: mainstay amcheck " + name));
    }

    /// A server that is there and does not let Mainstay in is not down.
    private void down(SourceFacts source, ClusterFacts cluster, ClusterFacts.Problem problem) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.PRIMARY_DOWN);
        Duration since = bench.since(cluster.since());
        if (rule.isEmpty() || since.compareTo(rule.get().after()) < 0) {
            return;
        }
        boolean away = problem.code() == ErrorCode.SERVER_UNREACHABLE;
        String until =
                source.archive()
                        .flatMap(archive -> archive.covered())
                        .map(time -> "Everything until " + time + " can be recovered.")
                        .orElse("Nothing can be recovered: there is no backup.");
        RuleSettings how =
                away ? rule.get() : rule.get().atMost(Severity.HIGH);
        bench.found(
                AlertRule.PRIMARY_DOWN,
                how,
                source.name(),
                "",
                new Bench.Words(
                        away
                                ? "The server of " + source.name() + " does not answer"
                                : "The server of " + source.name() + " does not let Mainstay in",
                        "For "
                                + Bench.text(since)
                                + ": ["
                                + problem.code().id()
                                + "] "
                                + problem.message(),
                        until + " No backup and no WAL comes meanwhile.",
                        away
                                ? "Start it; if its data is gone, restore: mainstay restore "
                                        + source.name()
                                : problem.code().hint()));
    }

    private void lag(String name, ClusterFacts.Standby standby) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.REPLICATION_LAG);
        if (rule.isEmpty()
                || standby.lag().isEmpty()
                || !Bench.exceeds(standby.lag().get(), rule.get().after())) {
            return;
        }
        bench.found(
                AlertRule.REPLICATION_LAG,
                name + "/" + standby.name(),
                "",
                new Bench.Words(
                        "Standby " + standby.name() + " of " + name + " is behind",
                        "The oldest change that it has not replayed is "
                                + Bench.text(standby.lag().get())
                                + " old; it is "
                                + (standby.state().isEmpty() ? "in a state unknown" : standby.state())
                                + ".",
                        "A failover to it would lose so much.",
                        "Look at its log, its disk, the network, and for a query that holds up"
                                + " replay."));
    }

    private void clock(String name, Duration ahead) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.CLOCK_SKEW);
        if (rule.isEmpty() || !Bench.exceeds(ahead.abs(), rule.get().after())) {
            return;
        }
        bench.found(
                AlertRule.CLOCK_SKEW,
                name,
                "",
                new Bench.Words(
                        "The clock of " + name + " differs",
                        "It is "
                                + Bench.text(ahead.abs())
                                + (ahead.isNegative() ? " behind" : " ahead of")
                                + " this host's.",
                        "Whoever chooses a time to go back to reads the server's clock, and may miss"
                                + " the moment.",
                        "Let both hosts synchronise their clocks (chrony, systemd-timesyncd)."));
    }

    void look(RepositoryFacts repository) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.CLOCK_SKEW);
        if (repository.clockAhead().isEmpty()) {
            bench.unsure(AlertRule.CLOCK_SKEW, "");
            return;
        }
        Duration ahead = repository.clockAhead().get();
        if (rule.isEmpty() || !Bench.exceeds(ahead.abs(), rule.get().after())) {
            return;
        }
        bench.found(
                AlertRule.CLOCK_SKEW,
                "",
                "",
                new Bench.Words(
                        "The clock of the repository's store differs",
                        "It is "
                                + Bench.text(ahead.abs())
                                + (ahead.isNegative() ? " behind" : " ahead of")
                                + " this host's.",
                        "Locks end by the store's clock, retention, schedules and tokens go by this"
                                + " host's; beyond some minutes the store refuses everything.",
                        "Let this host synchronise its clock (chrony, systemd-timesyncd)."));
    }

    void look(HostFacts host) {
        host.certificateEnds().ifPresent(this::certificate);
        host.configurationRefusal().ifPresent(this::configuration);
        for (HostFacts.ExpiringToken token : host.tokens()) {
            Optional<RuleSettings> rule = bench.rule(AlertRule.TOKEN_ENDS);
            Duration left = Duration.between(bench.now, token.ends());
            if (rule.isPresent() && !left.isNegative() && left.compareTo(rule.get().after()) < 0) {
                bench.found(
                        AlertRule.TOKEN_ENDS,
                        token.id(),
                        "",
                        new Bench.Words(
                                "Token " + token.name() + " ends",
                                "It is valid for another " + Bench.text(left) + ".",
                                "Who uses it gets no more answers then: scripts, dashboards.",
                                "Issue another one: POST /api/v1/tokens"));
            }
        }
    }

    private void configuration(String refusal) {
        bench.found(
                AlertRule.CONFIGURATION_REFUSED,
                "",
                refusal,
                new Bench.Words(
                        "The configuration file cannot be used",
                        "It was changed and read again: " + refusal,
                        "The server goes on as before; what was changed is not so, and it would not"
                                + " start again.",
                        "Correct the file ('mainstay config check' says all that is wrong), then"
                                + " POST /api/v1/configuration/reload."));
    }

    private void certificate(Instant end) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.CERTIFICATE_ENDS);
        Duration left = Duration.between(bench.now, end);
        if (rule.isEmpty() || left.compareTo(rule.get().after()) >= 0) {
            return;
        }
        RuleSettings how =
                left.compareTo(Duration.ofDays(1)) >= 0
                        ? rule.get()
                        : rule.get().with(Severity.HIGH);
        bench.found(
                AlertRule.CERTIFICATE_ENDS,
                how,
                "",
                "",
                new Bench.Words(
                        "The server's certificate " + (left.isNegative() ? "has ended" : "ends"),
                        "It is valid until " + end + ".",
                        "Nobody can reach this server then: no restores through it, no answers.",
                        "Replace the file of server.tls.certificate; it is used without a"
                                + " restart."));
    }
}
