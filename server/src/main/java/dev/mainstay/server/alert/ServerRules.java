package dev.mainstay.server.alert;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.RuleSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.metrics.HostFacts;
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
                away || rule.get().severity() != Severity.CRITICAL
                        ? rule.get()
                        : new RuleSettings(
                                Severity.HIGH,
                                rule.get().after(),
                                rule.get().size(),
                                rule.get().percent());
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

    private void certificate(Instant end) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.CERTIFICATE_ENDS);
        Duration left = Duration.between(bench.now, end);
        if (rule.isEmpty() || left.compareTo(rule.get().after()) >= 0) {
            return;
        }
        RuleSettings how =
                left.compareTo(Duration.ofDays(1)) >= 0
                        ? rule.get()
                        : new RuleSettings(
                                Severity.HIGH,
                                rule.get().after(),
                                rule.get().size(),
                                rule.get().percent());
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
