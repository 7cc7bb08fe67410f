package dev.mainstay.server.alert;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.RuleSettings;
import dev.mainstay.server.metrics.ArchiveFacts;
import dev.mainstay.server.metrics.CopyFacts;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.metrics.SourceFacts;
import dev.mainstay.server.metrics.SpaceFacts;
import dev.mainstay.server.view.KnownBackup;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The repository, its copies, room, and whether what is kept is whole.
final class StorageRules {
    private final Bench bench;
    private final Rhythm rhythm;

    StorageRules(Bench bench, Rhythm rhythm) {
        this.bench = bench;
        this.rhythm = rhythm;
    }

    void look() {
        repository();
        bench.facts.spaces().forEach(this::space);
        bench.facts.copies().values().forEach(this::copy);
        for (SourceFacts source : bench.facts.sources().values()) {
            verified(source);
            retention(source);
            restored(source.name());
        }
        ended("verify", "").filter(job -> !job.isDone()).ifPresent(job -> verifyFailed("", job));
        stuck("prune", "");
    }

    private void repository() {
        Optional<RuleSettings> rule = bench.rule(AlertRule.REPOSITORY_DOWN);
        Optional<String> problem = bench.facts.repository().problem();
        if (rule.isEmpty() || problem.isEmpty()) {
            return;
        }
        Optional<Instant> seen =
                bench.facts.sources().values().stream()
                        .flatMap(source -> source.archive().stream())
                        .map(ArchiveFacts::at)
                        .max(Instant::compareTo);
        if (seen.isPresent() && !Bench.exceeds(bench.since(seen.get()), rule.get().after())) {
            return;
        }
        bench.found(
                AlertRule.REPOSITORY_DOWN,
                "",
                "",
                new Bench.Words(
                        "The repository cannot be read",
                        problem.get(),
                        "No backup, no WAL and no restore works until it can; WAL waits in spools and"
                                + " on the servers.",
                        "Look at the store, its credentials and the network: mainstay check"));
    }

    private void space(SpaceFacts space) {
        Optional<RuleSettings> full = bench.rule(AlertRule.SPACE_FULL);
        String has =
                ByteSize.of(space.free())
                        + " of "
                        + ByteSize.of(space.total())
                        + " are free in "
                        + space.path()
                        + ".";
        String meaning =
                space.what().startsWith("spool")
                        ? "When it is full receiving stops, and the server keeps its WAL."
                        : "When it is full no backup and no WAL is stored.";
        String todo =
                space.what().startsWith("spool")
                        ? "See that the repository takes WAL; else raise receiver.spool-limit."
                        : "Free space, enlarge the file system, or expire and prune old backups.";
        if (full.isPresent()
                && space.total() > 0
                && space.free() < space.total() / 100.0 * full.get().percent()) {
            bench.found(
                    AlertRule.SPACE_FULL,
                    space.what(),
                    "",
                    new Bench.Words("No room for " + space.what(), has, meaning, todo));
            return;
        }
        Optional<RuleSettings> filling = bench.rule(AlertRule.SPACE_FILLING);
        if (filling.isPresent()
                && space.untilFull().isPresent()
                && space.untilFull().get().compareTo(filling.get().after()) < 0) {
            bench.found(
                    AlertRule.SPACE_FILLING,
                    space.what(),
                    "",
                    new Bench.Words(
                            "Room for "
                                    + space.what()
                                    + " lasts "
                                    + Bench.text(space.untilFull().get()),
                            has + " So long it lasts at the growth of the last two weeks.",
                            meaning,
                            todo));
        }
    }

    private void copy(CopyFacts copy) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.COPY_BEHIND);
        if (rule.isEmpty()) {
            return;
        }
        Optional<JobFacts.Ended> job =
                ended("copy", copy.name()).filter(last -> !last.isDone());
        boolean behind =
                copy.lag().map(lag -> Bench.exceeds(lag, rule.get().after())).orElse(false);
        boolean holds =
                bench.facts.sources().values().stream()
                        .flatMap(source -> source.archive().stream())
                        .flatMap(archive -> archive.backups().stream())
                        .findFirst()
                        .map(KnownBackup::end)
                        .filter(first -> Bench.exceeds(bench.since(first), rule.get().after()))
                        .isPresent();
        boolean lacks = copy.problem().isEmpty() && copy.lag().isEmpty() && holds;
        if (copy.problem().isEmpty() && !behind && job.isEmpty() && !lacks) {
            return;
        }
        String reason =
                copy.problem()
                        .map(problem -> "It cannot be read: " + problem)
                        .or(
                                () ->
                                        job.map(
                                                last ->
                                                        "Job "
                                                                + last.id()
                                                                + " failed: ["
                                                                + last.error()
                                                                + "] "
                                                                + last.message()))
                        .or(
                                () ->
                                        copy.lag()
                                                .map(
                                                        lag ->
                                                                "The oldest change that it lacks is "
                                                                        + Bench.text(lag)
                                                                        + " old."))
                        .orElse("It has no backup of every source.");
        bench.found(
                AlertRule.COPY_BEHIND,
                copy.name(),
                job.map(JobFacts.Ended::id).orElse(""),
                new Bench.Words(
                        "Copy " + copy.name() + " is behind",
                        reason,
                        "If the repository were lost, so much would be lost as well.",
                        "Copy now: mainstay copy " + copy.name()));
    }

    private Optional<JobFacts.Ended> ended(String kind, String target) {
        return bench.facts.jobs().newest(kind, target);
    }

    private void verified(SourceFacts source) {
        String name = source.name();
        Optional<JobFacts.Ended> last = ended("verify", name);
        last.filter(job -> !job.isDone()).ifPresent(job -> verifyFailed(name, job));
        oneBackup(name).ifPresent(job -> verifyFailed(name, job));
        Optional<RuleSettings> rule = bench.rule(AlertRule.VERIFY_OVERDUE);
        Optional<Instant> first =
                source.archive()
                        .filter(archive -> !archive.backups().isEmpty())
                        .map(archive -> archive.backups().getFirst().end());
        if (rule.isEmpty() || first.isEmpty() || !rhythm.verifies()) {
            return;
        }
        Instant looked =
                List.of(name, "").stream()
                        .flatMap(of -> bench.facts.jobs().newestDone("verify", of).stream())
                        .map(JobFacts.Ended::ended)
                        .max(Instant::compareTo)
                        .orElse(first.get());
        if (Bench.exceeds(bench.since(looked), rule.get().after())) {
            bench.found(
                    AlertRule.VERIFY_OVERDUE,
                    name,
                    "",
                    new Bench.Words(
                            "Nobody verified " + name,
                            "For "
                                    + Bench.text(bench.since(looked))
                                    + " nobody looked whether its backups can be read.",
                            "Damage that nobody looks for is found by the restore.",
                            "Look: mainstay verify " + name));
        }
    }

    /// A failed verification of one backup, or of what a restore needs, until all of its source is
    /// found well: that another backup is well says nothing.
    private Optional<JobFacts.Ended> oneBackup(String name) {
        Optional<Instant> well =
                List.of(name, "").stream()
                        .flatMap(of -> bench.facts.jobs().newestDone("verify", of).stream())
                        .map(JobFacts.Ended::ended)
                        .max(Instant::compareTo);
        return Stream.of("verify-backup", "validate-restore")
                .flatMap(kind -> bench.facts.jobs().newestFailed(kind, name).stream())
                .max(Comparator.comparing(JobFacts.Ended::ended))
                .filter(job -> well.isEmpty() || well.get().isBefore(job.ended()));
    }

    private void verifyFailed(String name, JobFacts.Ended job) {
        boolean locks = job.error().equals(ErrorCode.LOCKS_LACKING.id());
        String of = name.isEmpty() ? "the repository" : name;
        bench.found(
                locks ? AlertRule.LOCKS_LACKING : AlertRule.VERIFY_FAILED,
                name,
                job.id(),
                new Bench.Words(
                        locks
                                ? "Locks are missing of " + of
                                : "Verification of " + of + " failed",
                        "Job " + job.id() + ": [" + job.error() + "] " + job.message(),
                        locks
                                ? "Everything is readable, but who gets the credentials can delete"
                                        + " it."
                                : "Some of what is kept may not be restorable; the job's log names"
                                        + " it.",
                        locks
                                ? "Run: mainstay verify; then see docs/immutability.md"
                                : "Put it right from a copy: mainstay verify --repair; then take a"
                                        + " full backup."));
    }

    private void retention(SourceFacts source) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.RETENTION_STUCK);
        if (rule.isEmpty()) {
            return;
        }
        if (stuck("expire", source.name())) {
            return;
        }
        int removable = source.archive().map(ArchiveFacts::removable).orElse(0);
        Optional<Instant> done =
                bench.facts.jobs().newestDone("expire", source.name()).map(JobFacts.Ended::ended);
        Optional<Instant> since =
                done.or(
                        () ->
                                source.archive()
                                        .filter(archive -> !archive.backups().isEmpty())
                                        .map(archive -> archive.backups().getFirst().end()));
        if (removable > 0
                && since.isPresent()
                && Bench.exceeds(bench.since(since.get()), rule.get().after())) {
            bench.found(
                    AlertRule.RETENTION_STUCK,
                    source.name(),
                    "",
                    words(
                            source.name(),
                            removable
                                    + " backups that retention does not keep are there, and nothing"
                                    + " was expired for "
                                    + Bench.text(bench.since(since.get()))
                                    + "."));
        }
    }

    private boolean stuck(String kind, String target) {
        Optional<JobFacts.Ended> failed = ended(kind, target).filter(job -> !job.isDone());
        failed.ifPresent(
                job ->
                        bench.found(
                                AlertRule.RETENTION_STUCK,
                                target,
                                job.id(),
                                words(
                                        target.isEmpty() ? "the repository" : target,
                                        kind
                                                + " failed, job "
                                                + job.id()
                                                + ": ["
                                                + job.error()
                                                + "] "
                                                + job.message())));
        return failed.isPresent();
    }

    private static Bench.Words words(String of, String reason) {
        return new Bench.Words(
                "Retention of " + of + " is stuck",
                reason,
                "Nothing is lost; the repository grows until it is full.",
                "See what would go: mainstay expire --plan, mainstay prune --plan; then run them"
                        + " without it.");
    }

    private void restored(String name) {
        ended("restore", name)
                .filter(job -> !job.isDone())
                .ifPresent(
                        job ->
                                bench.found(
                                        AlertRule.RESTORE_FAILED,
                                        name,
                                        job.id(),
                                        new Bench.Words(
                                                "Restore of " + name + " failed",
                                                "Job "
                                                        + job.id()
                                                        + ": ["
                                                        + job.error()
                                                        + "] "
                                                        + job.message(),
                                                "What was to be recovered is not; what half a restore"
                                                        + " left cannot be started.",
                                                "Mend the cause and restore again.")));
        Optional<RuleSettings> objective = bench.rule(AlertRule.RTO_MISSED);
        bench.facts.jobs()
                .restore(name)
                .filter(
                        took ->
                                objective.isPresent()
                                        && Bench.exceeds(took.time(), objective.get().after()))
                .ifPresent(took -> slowRestore(name, took.time(), objective.get().after()));
    }

    private void slowRestore(String name, Duration took, Duration objective) {
        bench.found(
                AlertRule.RTO_MISSED,
                name,
                "",
                new Bench.Words(
                        "Recovery time of " + name + " is missed",
                        "The newest restore took "
                                + Bench.text(took)
                                + "; the objective is "
                                + Bench.text(objective)
                                + ".",
                        "After a loss it takes longer than promised until the data is back.",
                        "A backup more often (less WAL to replay), a nearer or faster repository,"
                                + " more processes, or a standby."));
    }
}
