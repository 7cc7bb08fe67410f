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

import tools.jackson.databind.JsonNode;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/// `mainstay audit list`
@Command(
        name = "list",
        description =
                "what the audit trail in the repository, or of a server, says; the newest last")
final class AuditListCommand implements Verb {
    /// Of the server's answers.
    private static final int LARGEST_PAGE = 1000;

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

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) {
        if (limit < 1) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, "--limit has to be 1 or more");
        }
        if (server.isGiven()) {
            return server.without("--from or --as-of", from.isAnyGiven())
                    .ask(session, ServerOption.STOPPED, this::remote);
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
        Table table = table();
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
        return document(table);
    }

    private static Table table() {
        return Table.of(
                "at", "who", "address", "action", "target", "outcome", "times", "trail", "number");
    }

    private static Document document(Table table) {
        Document document = table.isEmpty() ? Document.of("no entries yet") : Document.untitled();
        return document.add("entries", table);
    }

    /// The server's own, of which the newest are not in the repository yet.
    private Document remote(RemoteServer remote) throws InterruptedException {
        Deque<JsonNode> newest = new ArrayDeque<>();
        String cursor = "";
        while (newest.size() < limit) {
            JsonNode page = remote.get("audit?limit=" + page() + cursor);
            for (JsonNode each : page.path("entries")) {
                if (newest.size() < limit
                        && each.path("who").asString("").contains(who.orElse(""))) {
                    newest.addFirst(each);
                }
            }
            if (!page.path("next").isNumber()) {
                break;
            }
            cursor = "&cursor=" + page.path("next").asLong();
        }
        Table table = table();
        for (JsonNode each : newest) {
            table.row(
                    RemoteServer.time(each.path("at")),
                    each.path("who").asString(""),
                    each.path("address").asString(""),
                    each.path("action").asString(""),
                    each.path("target").asString(""),
                    each.path("outcome").asString(""),
                    each.path("times").asLong(1),
                    each.path("trail").asString(""),
                    each.path("number").asLong(0));
        }
        return document(table);
    }

    private int page() {
        return who.isPresent() ? LARGEST_PAGE : Math.min(limit, LARGEST_PAGE);
    }
}
