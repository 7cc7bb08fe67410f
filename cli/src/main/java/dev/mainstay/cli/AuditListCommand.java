package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.AuditArchive;
import dev.mainstay.repository.AuditEntry;
import dev.mainstay.repository.AuditFacts;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/// `mainstay audit list`
@Command(
        name = "list",
        description = "what the audit trail in the repository says, the newest last")
final class AuditListCommand implements Verb {
    @Option(
            names = "--who",
            paramLabel = "TEXT",
            description = "only entries of those whose name has this in it")
    private Optional<String> who = Optional.empty();

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "only so many, the newest (default: 100)")
    private int limit = 100;

    @Mixin private FromOption from = new FromOption();

    @Override
    public Document run(Session session) {
        if (limit < 1) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, "--limit has to be 1 or more");
        }
        from.apply(session);
        Deque<AuditEntry> newest = new ArrayDeque<>();
        try (Repository repository = OpenSource.repository(session)) {
            new AuditArchive(repository)
                    .entries(
                            entry -> {
                                if (entry.facts().who().contains(who.orElse(""))) {
                                    newest.add(entry);
                                }
                                if (newest.size() > limit) {
                                    newest.removeFirst();
                                }
                            });
        }
        Table table =
                Table.of(
                        "at", "who", "address", "action", "target", "outcome", "times", "trail",
                        "number");
        for (AuditEntry each : newest) {
            AuditFacts facts = each.facts();
            table.row(
                    facts.at(),
                    facts.who(),
                    facts.address(),
                    facts.action(),
                    facts.target(),
                    facts.outcome(),
                    facts.times(),
                    each.trail(),
                    each.number());
        }
        Document document = newest.isEmpty() ? Document.of("no entries yet") : Document.untitled();
        return document.add("entries", table);
    }
}
