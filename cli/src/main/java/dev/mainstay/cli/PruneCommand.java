package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Durations;
import dev.mainstay.engine.retention.SettledPrune;
import dev.mainstay.repository.AnnouncedBackup;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// `mainstay prune [--plan] [--patience TIME] [--yes]`
@Command(
        name = "prune",
        footer = {
            "",
            "Packs go that no backup refers to: those of backups that 'mainstay expire' removed,"
                    + " and of",
            "backups that failed. Where a backup is running, what it may still come to refer to"
                    + " waits",
            "for the next run after its end. WAL goes that no backup needs to become consistent,"
                    + " and no",
            "recovery window by the retention of its source ('mainstay expire --plan' shows it).",
            "Of packs of which less than half is needed ('prune' in the configuration), that is"
                    + " put",
            "into new ones."
        })
final class PruneCommand implements Verb {
    @Option(names = "--plan", description = "show what would be removed, and remove nothing")
    private boolean planOnly;

    @Option(
            names = "--patience",
            paramLabel = "TIME",
            defaultValue = "7d",
            description = {
                "a backup that began longer ago and has not ended is given up: if it is running"
                        + " after",
                "all, it fails; and what a failed one stored is not kept any more for one that goes"
                        + " on",
                "from there (default: 7d)"
            })
    private String patience = "7d";

    @Option(
            names = "--beside-backups",
            description = {
                "claim what can be removed although a backup is running, for where one always is;",
                "backups that build upon that one store again what it had stored by then, until",
                "'prune' is run after its end"
            })
    private boolean beside;

    @Option(names = "--yes", description = "do not ask before anything is removed")
    private boolean yes;

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            server.without("--patience", !patience.equals("7d"))
                    .without("--beside-backups", beside);
            return planOnly
                    ? RemoteWork.prunePlan(server, session)
                    : RemoteWork.prune(server, session, yes);
        }
        Duration wait = patience();
        try (Repository repository = OpenSource.repository(session)) {
            SettledPrune prune =
                    new SettledPrune(
                            session.configuration(),
                            repository,
                            session.clock().instant(),
                            wait,
                            beside);
            Prune.Report plan = prune.plan();
            if (planOnly) {
                return planned(plan);
            }
            if (plan.removed().count() > 0 || plan.wal().freed() > 0 || !plan.givenUp().isEmpty()) {
                Confirm.danger(session, danger(plan), yes);
            }
            session.progress()
                    .begin("pruning", plan.removed().size().bytes() + plan.wal().size().bytes());
            Prune.Report done = prune.run(session.progress()::advance);
            session.progress().end();
            return describe(done, "removed", "given up");
        }
    }

    static Document planned(Prune.Report plan) {
        return describe(plan, "would be removed", "would be given up");
    }

    private Duration patience() {
        try {
            return Durations.parse(patience);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--patience: " + wrong.getMessage(), wrong);
        }
    }

    private static String danger(Prune.Report plan) {
        String what =
                plan.wal().freed() == 0
                        ? packs(plan.removed()) + " that no backup refers to"
                        : plan.removed().count() == 0
                                ? segments(plan.wal())
                                : packs(plan.removed())
                                        + " that no backup refers to and "
                                        + segments(plan.wal());
        return what
                + " will be removed for good"
                + (plan.givenUp().isEmpty()
                        ? ""
                        : ", and these backups given up, which began before --patience and have not"
                                + " ended: "
                                + String.join(", ", names(plan.givenUp())));
    }

    private static String packs(Prune.Amount amount) {
        return amount.count() == 0
                ? "no pack"
                : amount.count()
                        + (amount.count() == 1 ? " pack (" : " packs (")
                        + amount.size()
                        + ")";
    }

    private static String segments(Prune.Wal wal) {
        return wal.freed()
                + (wal.freed() == 1 ? " WAL segment (" : " WAL segments (")
                + wal.size()
                + ") that no recovery window needs";
    }

    private static List<String> names(List<AnnouncedBackup> backups) {
        return backups.stream().map(each -> each.source() + " " + each.backup()).toList();
    }

    private static String headline(Prune.Report report) {
        if (report.wal().freed() == 0) {
            return packs(report.removed());
        }
        return (report.removed().count() == 0 ? "" : packs(report.removed()) + " and ")
                + segments(report.wal());
    }

    private static Document describe(Prune.Report report, String removed, String givenUp) {
        Document document =
                Document.of(headline(report) + " " + removed)
                        .add("packs", report.removed().count())
                        .add("size", report.removed().size())
                        .add("leftovers", report.leftovers())
                        .add("packsLeft", report.left().count())
                        .add("sizeLeft", report.left().size())
                        .add("walSegments", report.wal().freed())
                        .add("walSize", report.wal().size());
        Prune.Compacted compacted = report.compacted();
        if (compacted.packs().count() > 0) {
            document.add("packsCompacted", compacted.packs().count())
                    .add("sizeCompacted", compacted.packs().size())
                    .add("sizeWritten", compacted.written());
        }
        if (compacted.later() > 0) {
            document.add("packsLater", compacted.later());
        }
        if (report.waiting().count() > 0) {
            document.add("waiting", report.waiting().count())
                    .add("sizeWaiting", report.waiting().size());
        }
        if (report.wal().waiting() > 0) {
            document.add("walSegmentsWaiting", report.wal().waiting());
        }
        if (!report.running().isEmpty()) {
            document.addAll("running", names(report.running()))
                    .add(
                            "next",
                            "what waits goes when these have ended: prune again then, or give up"
                                    + " what was killed with --patience");
        }
        if (!report.givenUp().isEmpty()) {
            document.addAll("givenUp", names(report.givenUp()))
                    .add("why", givenUp + ": began before --patience");
        }
        List<String> warnings = new ArrayList<>();
        if (report.refused().count() > 0) {
            warnings.add(
                    "the store keeps "
                            + packs(report.refused())
                            + " that no backup refers to; prune again when it lets them go");
        }
        if (compacted.unread() > 0) {
            warnings.add(
                    compacted.unread()
                            + (compacted.unread() == 1 ? " pack" : " packs")
                            + " could not be read to be compacted and stays: run 'mainstay"
                            + " verify'");
        }
        if (report.wal().refused() > 0) {
            warnings.add(
                    "the store keeps some of "
                            + report.wal().refused()
                            + " WAL segments that nothing needs; prune again when it lets them go");
        }
        if (!warnings.isEmpty()) {
            document.addAll("warnings", warnings);
        }
        return document;
    }
}
