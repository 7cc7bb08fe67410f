package dev.mainstay.server.alert;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.config.AlertRule;
import dev.mainstay.engine.config.RuleSettings;
import dev.mainstay.server.metrics.ArchiveFacts;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.metrics.SourceFacts;
import dev.mainstay.server.view.KnownBackup;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/// Backups that failed, did not come, or were not like the others.
final class BackupRules {
    private static final Duration WITHOUT_SCHEDULE = Duration.ofHours(23);
    private static final Duration NEWS = Duration.ofHours(1);

    private final Bench bench;
    private final Rhythm rhythm;

    BackupRules(Bench bench, Rhythm rhythm) {
        this.bench = bench;
        this.rhythm = rhythm;
    }

    void look(SourceFacts source) {
        failed(source);
        if (source.archive().isEmpty()) {
            bench.unsure(AlertRule.BACKUP_OVERDUE, source.name());
            bench.unsure(AlertRule.BACKUP_SIZE, source.name());
            bench.unsure(AlertRule.BACKUP_SLOW, source.name());
            return;
        }
        ArchiveFacts archive = source.archive().get();
        overdue(source.name(), archive);
        slow(source.name(), archive);
        archive.newest().ifPresent(newest -> size(source.name(), archive, newest));
        archive.newest().ifPresent(newest -> completed(source.name(), newest));
    }

    private Optional<JobFacts.Running> running(String source) {
        return bench.facts.jobs().running().stream()
                .filter(job -> job.kind().equals("backup") && job.target().equals(source))
                .filter(job -> job.started().isPresent())
                .findFirst();
    }

    /// The last one, unless there is a newer backup by now, whoever took it.
    private void failed(SourceFacts source) {
        String name = source.name();
        Optional<JobFacts.Ended> last = bench.facts.jobs().newest("backup", name);
        if (last.isEmpty() || last.get().isDone()) {
            return;
        }
        JobFacts.Ended job = last.get();
        Optional<Instant> newest =
                source.archive().flatMap(ArchiveFacts::newest).map(KnownBackup::end);
        if (newest.isPresent() && newest.get().isAfter(job.ended())) {
            return;
        }
        boolean late = job.error().equals(ErrorCode.JOB_TIMED_OUT.id());
        String before =
                newest.map(end -> "The newest backup is of " + end + "; earlier ones are untouched.")
                        .orElse("There is no backup at all.");
        bench.found(
                late ? AlertRule.BACKUP_TIMED_OUT : AlertRule.BACKUP_FAILED,
                name,
                job.id(),
                new Bench.Words(
                        "Backup of " + name + (late ? " timed out" : " failed"),
                        "Job "
                                + job.id()
                                + " is "
                                + job.state()
                                + " since "
                                + job.ended()
                                + ": ["
                                + job.error()
                                + "] "
                                + job.message(),
                        before + " WAL that is stored keeps the recovery window open.",
                        late
                                ? "See the log of the job for what took so long, or raise the"
                                        + " schedule's timeout; it was cancelled, and what it held is"
                                        + " released."
                                : "Mend the cause, then start one: mainstay backup " + name));
    }

    private void overdue(String name, ArchiveFacts archive) {
        Optional<RuleSettings> rule = bench.rule(AlertRule.BACKUP_OVERDUE);
        if (rule.isEmpty()) {
            return;
        }
        if (running(name).isPresent()) { // not overdue any more, and not there yet
            bench.unsure(AlertRule.BACKUP_OVERDUE, name);
            return;
        }
        if (archive.newest().isEmpty()) {
            bench.found(
                    AlertRule.BACKUP_OVERDUE,
                    name,
                    "",
                    new Bench.Words(
                            "No backup of " + name,
                            "The repository has no backup of it.",
                            "Nothing can be recovered.",
                            "Take the first one: mainstay backup " + name));
            return;
        }
        Instant end = archive.newest().get().end();
        Instant due = rhythm.dueAfter(name, end).orElse(end.plus(WITHOUT_SCHEDULE));
        if (!bench.now.isAfter(due.plus(rule.get().after()))) {
            return;
        }
        bench.found(
                AlertRule.BACKUP_OVERDUE,
                name,
                "",
                new Bench.Words(
                        "No backup of " + name + " for " + Bench.text(bench.since(end)),
                        "The newest ended at " + end + "; another one was due by " + due + ".",
                        "What can be recovered needs ever more WAL and takes ever longer; behind a"
                                + " gap in the WAL it ends.",
                        "See GET /api/v1/jobs?target="
                                + name
                                + " and the schedule, or start one: mainstay backup "
                                + name));
    }

    /// The running one, or else the last.
    private void slow(String name, ArchiveFacts archive) {
        Optional<JobFacts.Running> running = running(name);
        KnownBackup newest = archive.newest().orElse(null);
        if (newest == null) {
            return;
        }
        List<KnownBackup> earlier = earlier(archive, newest);
        Optional<Usual> usual =
                Usual.of(
                        earlier.stream()
                                .map(each -> (double) each.duration().toSeconds())
                                .toList());
        if (usual.isEmpty()) {
            return;
        }
        Duration most =
                archive.backups().stream()
                        .map(KnownBackup::duration)
                        .max(Duration::compareTo)
                        .orElse(Duration.ZERO);
        Optional<Duration> runs =
                running.flatMap(JobFacts.Running::started)
                        .map(bench::since)
                        .filter(length -> Bench.exceeds(length, most)); // whatever type it is of
        Duration took = runs.orElse(newest.duration());
        boolean minutes = took.minusSeconds((long) usual.get().median()).toMinutes() >= 1;
        if (!usual.get().isTooMuch(took.toSeconds()) || !minutes) {
            return;
        }
        bench.found(
                AlertRule.BACKUP_SLOW,
                name,
                running.map(JobFacts.Running::id).orElse(newest.id().text()),
                new Bench.Words(
                        "Backup of " + name + (runs.isPresent() ? " takes" : " took") + " too long",
                        Bench.text(took)
                                + ", "
                                + Bench.times(usual.get().times(took.toSeconds()))
                                + " the usual "
                                + Bench.text(Duration.ofSeconds((long) usual.get().median()))
                                + " (median of "
                                + earlier.size()
                                + ").",
                        "Backups that last longer begin to miss their times; a restore may be slow"
                                + " as well.",
                        "Compare what it read and stored with the ones before: more data, a busy"
                                + " server, or a slow repository?"));
    }

    private static List<KnownBackup> earlier(ArchiveFacts archive, KnownBackup newest) {
        return archive.backups().stream()
                .filter(each -> each.type().equals(newest.type()) && !each.id().equals(newest.id()))
                .toList();
    }

    private void size(String name, ArchiveFacts archive, KnownBackup newest) {
        List<KnownBackup> earlier = earlier(archive, newest);
        if (!size(name, newest, earlier, "restores to", KnownBackup::bytes)) {
            size(name, newest, earlier, "stored", KnownBackup::bytesStored);
        }
    }

    private boolean size(
            String name,
            KnownBackup newest,
            List<KnownBackup> earlier,
            String what,
            ToLongFunction<KnownBackup> of) {
        Optional<Usual> usual =
                Usual.of(earlier.stream().map(each -> (double) of.applyAsLong(each)).toList());
        long bytes = of.applyAsLong(newest);
        if (usual.isEmpty()
                || !(usual.get().isTooMuch(bytes) || usual.get().isTooLittle(bytes))) {
            return false;
        }
        boolean large = usual.get().isTooMuch(bytes);
        bench.found(
                AlertRule.BACKUP_SIZE,
                name,
                newest.id().text(),
                new Bench.Words(
                        "Backup of " + name + " is unusually " + (large ? "large" : "small"),
                        "Backup "
                                + newest.id()
                                + " ("
                                + newest.type()
                                + ") "
                                + what
                                + " "
                                + ByteSize.of(bytes)
                                + ", usual are "
                                + ByteSize.of((long) usual.get().median())
                                + " (median of "
                                + earlier.size()
                                + ").",
                        large
                                ? "It can be restored; the repository grows faster than planned."
                                : "It can be restored; but data may have been dropped or truncated."
                                        + " Earlier backups still have it.",
                        large
                                ? "Was much loaded or rewritten? Look at the largest relations."
                                : "See what was dropped: mainstay wal timeline "
                                        + name
                                        + "; hold an earlier backup if it was not meant."));
        return true;
    }

    /// Good news are news for an hour.
    private void completed(String name, KnownBackup newest) {
        if (bench.rule(AlertRule.BACKUP_COMPLETED).isEmpty()
                || Bench.exceeds(bench.since(newest.end()), NEWS)) {
            return;
        }
        bench.found(
                AlertRule.BACKUP_COMPLETED,
                name,
                newest.id().text(),
                new Bench.Words(
                        "Backup of " + name + " is complete",
                        newest.id()
                                + " ("
                                + newest.type()
                                + "): "
                                + ByteSize.of(newest.bytes())
                                + ", stored "
                                + ByteSize.of(newest.bytesStored())
                                + ", in "
                                + Bench.text(newest.duration())
                                + ".",
                        "It can be restored from now on.",
                        "Nothing."));
    }
}
