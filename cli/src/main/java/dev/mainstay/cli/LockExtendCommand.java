package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.retention.KeptLocks;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.ObjectLocks;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.Optional;

/// `mainstay lock extend [SOURCE] [--plan]`
@Command(
        name = "extend",
        description = "extend the locks of what kept backups need, before they run out",
        footer = {
            "",
            "Run it daily from a timer. The store is asked for the lock of each object that a kept"
                    + " backup",
            "needs; locks are extended once in a generation (see docs/immutability.md). What no"
                    + " backup",
            "needs is left to run out."
        })
final class LockExtendCommand implements Verb {
    @Parameters(
            arity = "0..1",
            paramLabel = "SOURCE",
            description = "only what this source's backups need (default: everything)")
    private Optional<String> source = Optional.empty();

    @Option(names = "--plan", description = "say what is due, and change nothing")
    private boolean planOnly;

    @Mixin private FromOption from = new FromOption();

    @Override
    public Document run(Session session) {
        from.apply(session);
        try (Repository repository = OpenSource.repository(session)) {
            source.ifPresent(name -> OpenSource.known(session, repository, name));
            ObjectLocks locks =
                    repository
                            .store()
                            .locks()
                            .orElseThrow(
                                    () ->
                                            new MainstayException(
                                                    ErrorCode.USAGE_INVALID,
                                                    "nothing is locked in "
                                                            + repository.store().facts().url(),
                                                    "set repository.lock (docs/immutability.md)",
                                                    null));
            KeptLocks kept = LockFindings.kept(session, repository);
            KeptLocks.Report report =
                    planOnly
                            ? kept.look(locks, source, session.progress())
                            : kept.extend(locks, source, session.progress());
            return LockFindings.describe(
                    Document.of(headline(report)), report, planOnly ? "due" : "extended");
        }
    }

    private String headline(KeptLocks.Report report) {
        if (report.survey().failedCount() > 0) {
            return ErrorCode.LOCKS_LACKING.id()
                    + ": "
                    + LockFindings.objects(report.survey().failedCount())
                    + " could not be locked";
        }
        if (!report.unread().isEmpty()) {
            return ErrorCode.LOCKS_LACKING.id()
                    + ": it cannot be told of everything whether a backup needs it";
        }
        long due = report.survey().due().objects();
        return due == 0
                ? "no lock is due"
                : LockFindings.objects(due)
                        + (planOnly ? " would be locked for longer" : " are locked for longer");
    }
}
