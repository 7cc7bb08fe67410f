package dev.mainstay.server.alert;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.RuleSettings;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.metrics.ArchiveFacts;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.metrics.SourceFacts;
import dev.mainstay.server.metrics.WalFacts;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/// WAL that does not come, and servers that keep it.
final class WalRules {
    private final Bench bench;

    WalRules(Bench bench) {
        this.bench = bench;
    }

    void look(SourceFacts source) {
        String name = source.name();
        if (source.archive().isEmpty()) {
            bench.unsure(AlertRule.WAL_STALLED, name);
            bench.unsure(AlertRule.WAL_GAP, name);
            bench.unsure(AlertRule.RPO_MISSED, name);
        } else {
            archive(name, source.archive().get(), source.cluster());
        }
        boolean told = source.cluster().map(ClusterFacts::up).orElse(false);
        if (told) {
            source.cluster()
                    .flatMap(ClusterFacts::readings)
                    .ifPresent(readings -> readings.slots().forEach(slot -> slot(name, slot)));
        } else {
            source.cluster()
                    .flatMap(ClusterFacts::readings)
                    .ifPresent(
                            readings ->
                                    readings.slots()
                                            .forEach(
                                                    slot ->
                                                            bench.unsure(
                                                                    AlertRule.SLOT_RETAINS,
                                                                    name + "/" + slot.name())));
        }
    }

    private void archive(String name, ArchiveFacts archive, Optional<ClusterFacts> cluster) {
        Optional<Duration> lost = archive.recoveryPoint(bench.now);
        Optional<RuleSettings> objective = bench.rule(AlertRule.RPO_MISSED);
        if (lost.isPresent()
                && objective.isPresent()
                && Bench.exceeds(lost.get(), objective.get().after())) {
            bench.found(
                    AlertRule.RPO_MISSED,
                    name,
                    "",
                    new Bench.Words(
                            "Recovery point of " + name + " is missed",
                            "Everything until "
                                    + archive.covered().map(Object::toString).orElse("")
                                    + " can be recovered; the objective is "
                                    + Bench.text(objective.get().after())
                                    + ".",
                            "If the cluster were lost now, "
                                    + Bench.text(lost.get())
                                    + " of changes would be lost.",
                            "See that WAL is received: GET /api/v1/receivers, mainstay check "
                                    + name));
        }
        archive.wal().ifPresent(wal -> wal(name, wal, lost, cluster));
    }

    private void wal(
            String name, WalFacts wal, Optional<Duration> lost, Optional<ClusterFacts> cluster) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.WAL_STALLED);
        boolean failing =
                cluster.flatMap(ClusterFacts::readings)
                        .map(ClusterFacts.Readings::archiverFailing)
                        .orElse(false);
        if (rule.isPresent() && lost.isPresent() && Bench.exceeds(lost.get(), rule.get().after())) {
            bench.found(
                    AlertRule.WAL_STALLED,
                    name,
                    "",
                    new Bench.Words(
                            "No WAL of " + name + " for " + Bench.text(lost.get()),
                            "Stored is "
                                    + wal.stored()
                                    + behind(wal.lagBytes())
                                    + (failing ? ", and what archive_command tried last failed" : "")
                                    + ".",
                            "What was changed since then would be lost with the cluster, and the"
                                    + " server's disk fills with what it must keep.",
                            "Is the receiver running (GET /api/v1/receivers), and is the repository"
                                    + " reachable? mainstay check "
                                    + name
                                    + " says more."));
        }
        if (wal.gaps() > 0) {
            bench.found(
                    AlertRule.WAL_GAP,
                    name,
                    "",
                    new Bench.Words(
                            "WAL of " + name + " has a gap",
                            wal.gaps()
                                    + " stretch"
                                    + (wal.gaps() == 1 ? "" : "es")
                                    + " of WAL since the newest backup "
                                    + (wal.gaps() == 1 ? "is" : "are")
                                    + " missing, the first behind "
                                    + wal.stored()
                                    + ".",
                            "Nothing behind the gap can be recovered until there is a new backup.",
                            "Take one now: mainstay backup " + name));
        }
    }

    private static String behind(OptionalLong bytes) {
        return bytes.isPresent()
                ? ", " + ByteSize.of(bytes.getAsLong()) + " behind the server"
                : "; the server does not say how far it is";
    }

    private void slot(String name, ClusterFacts.Slot slot) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.SLOT_RETAINS);
        if (rule.isEmpty()) {
            return;
        }
        boolean lost = slot.status().equals("lost");
        boolean dying = slot.status().equals("unreserved");
        if (!lost && !dying && slot.retained() <= rule.get().size().bytes()) {
            return;
        }
        RuleSettings how =
                lost || dying
                        ? rule.get().with(Severity.CRITICAL)
                        : rule.get();
        bench.found(
                AlertRule.SLOT_RETAINS,
                how,
                name + "/" + slot.name(),
                "",
                new Bench.Words(
                        "Slot " + slot.name() + " of " + name + (lost ? " is lost" : " holds too much"),
                        "It keeps "
                                + ByteSize.of(slot.retained())
                                + " of WAL on the server, is "
                                + slot.status()
                                + " and "
                                + (slot.active() ? "in use" : "used by nobody")
                                + (slot.safe().isPresent()
                                        ? "; another "
                                                + ByteSize.of(Math.max(0, slot.safe().getAsLong()))
                                                + " and it is lost"
                                        : "")
                                + ".",
                        lost
                                ? "The server removed WAL that whoever reads it had not got: a gap."
                                : "The server's disk fills, until it stops or drops the slot.",
                        "Start what reads it, or drop it: SELECT pg_drop_replication_slot('"
                                + slot.name()
                                + "')"));
    }
}
