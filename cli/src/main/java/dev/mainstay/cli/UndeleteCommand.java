package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.Undelete;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PastStore;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.Map;

/// `mainstay undelete --as-of TIME [--plan] [--yes]`
@Command(
        name = "undelete",
        footer = {
            "",
            "What was deleted or overwritten since then counts again; what came since stays. Stop"
                    + " writers",
            "first. What 'expire' and 'prune' removed since then comes back, too, as far as its"
                    + " versions are",
            "there. Run 'mainstay verify' afterwards."
        })
final class UndeleteCommand implements Verb {
    @Mixin private FromOption from = new FromOption();

    @Option(names = "--plan", description = "show what would come back, and change nothing")
    private boolean planOnly;

    @Option(names = "--yes", description = "do not ask")
    private boolean yes;

    @Override
    public Document run(Session session) throws IOException {
        from.apply(session);
        RepositorySettings settings = session.configuration().repository();
        if (settings.asOf().isEmpty()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "as of when? say a time before the damage was done",
                    "mainstay undelete --as-of '2026-11-21 05:00:00+01' --plan; 'mainstay backups"
                            + " --as-of TIME' shows what there was",
                    null);
        }
        try (PastStore past = RepositoryAccess.openPast(settings);
                ObjectStore present =
                        RepositoryAccess.openStore(settings, OpenSource.ground(session))) {
            Undelete work = new Undelete(past, present);
            Map<String, Amount> plan = work.plan();
            Amount total = total(plan);
            if (planOnly || total.objects() == 0) {
                return kinds(Document.of(headline(total, " would come back")), plan);
            }
            Confirm.danger(
                    session,
                    headline(total, "")
                            + " of "
                            + past.facts().url()
                            + " will take the place of what is there now",
                    yes);
            Undelete.Result done = work.run();
            Document document =
                    Document.of(headline(done.uncovered().plus(done.putAgain()), " came back"))
                            .add("uncovered", done.uncovered().objects())
                            .add("putAgain", done.putAgain().objects())
                            .add("next", "run: mainstay verify");
            if (!done.damaged().isEmpty()) {
                Table table = Table.of("object", "error", "what");
                done.damaged()
                        .forEach(
                                each ->
                                        table.row(
                                                each.name(),
                                                each.why().code().id(),
                                                String.valueOf(each.why().getMessage())));
                document.add("damaged", table).failing();
            }
            return kinds(document, plan);
        }
    }

    private static Amount total(Map<String, Amount> plan) {
        return plan.values().stream().reduce(new Amount(0, 0), Amount::plus);
    }

    private static String headline(Amount total, String what) {
        return total.objects() == 0
                ? "nothing is missing that was there"
                : LockFindings.objects(total.objects())
                        + ", "
                        + ByteSize.of(total.bytes())
                        + (what.isEmpty() ? "," : what);
    }

    private static Document kinds(Document document, Map<String, Amount> plan) {
        Table table = Table.of("kind", "objects", "size");
        plan.forEach(
                (kind, amount) -> table.row(kind, amount.objects(), ByteSize.of(amount.bytes())));
        return plan.isEmpty() ? document : document.add("kinds", table);
    }
}
