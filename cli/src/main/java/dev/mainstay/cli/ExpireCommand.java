package dev.mainstay.cli;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RecoveryWindow;
import dev.mainstay.engine.retention.RetentionDecision;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.Expiry;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay expire [SOURCE] [--plan] [--yes]`
@Command(
        name = "expire",
        footer = {
            "",
            "Only the records of backups go, so they can no longer be restored. 'mainstay prune'"
                    + " frees",
            "the space of their packs, and of WAL that nothing needs any more."
        })
final class ExpireCommand implements Verb {
    private static final int NAMED = 5;

    @Parameters(
            arity = "0..1",
            paramLabel = "SOURCE",
            description = "only this source of the configuration (default: all)")
    private Optional<String> source = Optional.empty();

    @Option(
            names = "--plan",
            description = "show what would go and stay, and why, and change nothing")
    private boolean planOnly;

    @Option(names = "--yes", description = "do not ask before backups are removed")
    private boolean yes;

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            return planOnly
                    ? RemoteBackups.plan(server, session, source)
                    : RemoteWork.expire(server, session, source, yes);
        }
        Instant now = session.clock().instant();
        try (Repository repository = OpenSource.repository(session)) {
            Map<SourceExpiry, ExpiryPlan> plans = new LinkedHashMap<>();
            for (String name : names(session, repository)) {
                SourceExpiry expiry =
                        new SourceExpiry(
                                OpenSource.known(session, repository, name),
                                session.configuration().source(name).retention(),
                                now);
                plans.put(expiry, expiry.plan());
            }
            List<BackupId> going =
                    plans.values().stream()
                            .flatMap(plan -> plan.removed().stream())
                            .map(each -> each.backup().id())
                            .toList();
            if (planOnly) {
                return describe(
                        Document.of(ExpiryTables.headline(going.size(), " would go")),
                        plans.values());
            }
            if (!going.isEmpty()) {
                Confirm.danger(session, danger(going), yes);
            }
            List<Expiry.Result> results = new ArrayList<>();
            plans.forEach((expiry, plan) -> results.add(expiry.run(plan)));
            return outcome(results, plans);
        }
    }

    private List<String> names(Session session, Repository repository) {
        if (source.isPresent()) {
            return List.of(session.configuration().source(source.get()).name());
        }
        return session.configuration().sources().keySet().stream()
                .filter(name -> isThere(repository, name))
                .toList();
    }

    private static boolean isThere(Repository repository, String name) {
        return repository.shredded().stream().noneMatch(gone -> gone.name().equals(name))
                && repository.source(name).isPresent();
    }

    private static String danger(List<BackupId> going) {
        List<String> first = going.stream().limit(NAMED).map(BackupId::text).toList();
        return ExpiryTables.headline(going.size(), " will be removed for good: ")
                + String.join(", ", first)
                + (going.size() > NAMED ? " and others" : "")
                + " ('mainstay expire --plan' tells why)";
    }

    private static Document outcome(
            List<Expiry.Result> results, Map<SourceExpiry, ExpiryPlan> plans) {
        List<String> removed = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        for (Expiry.Result result : results) {
            result.removed().forEach(each -> removed.add(each.text()));
            result.held()
                    .forEach(
                            each ->
                                    warnings.add(
                                            "backup " + each + " stays: it was held just now"));
            result.refused()
                    .forEach(
                            each ->
                                    warnings.add(
                                            "backup "
                                                    + each
                                                    + " is gone on record, but the store keeps its"
                                                    + " slot; expire again later"));
        }
        Document document =
                Document.of(ExpiryTables.headline(removed.size(), " removed"))
                        .addAll("removed", removed);
        if (!warnings.isEmpty()) {
            document.addAll("warnings", warnings);
        }
        return describe(document, plans.values());
    }

    private static Document describe(Document document, Iterable<ExpiryPlan> plans) {
        ExpiryTables tables = new ExpiryTables();
        for (ExpiryPlan plan : plans) {
            String source = plan.source();
            tables.policies.row(source, plan.policy().toString());
            for (RetentionDecision each : plan.decisions()) {
                tables.backups.row(
                        source,
                        each.backup().id().text(),
                        each.backup().incremental() ? "incremental" : "full",
                        each.backup().end(),
                        each.keep() ? "stays" : "goes",
                        String.join("; ", each.reasons()));
            }
            plan.strange().forEach(each -> tables.strange(source, each.text()));
            plan.before().forEach(each -> window(tables, source, "before", each));
            plan.after().forEach(each -> window(tables, source, "after", each));
            for (ExpiryPlan.FreedWal each : plan.freed()) {
                tables.freed(
                        source,
                        each.timeline().toString(),
                        each.segments(),
                        ByteSize.of(each.bytes()),
                        each.first(),
                        each.last());
            }
            plan.damaged().forEach(each -> tables.damaged.add(source + ": " + each));
        }
        return tables.addTo(document);
    }

    private static void window(
            ExpiryTables tables, String source, String when, RecoveryWindow window) {
        tables.windows.row(
                source,
                window.system().toString(),
                window.timeline().toString(),
                when,
                window.from().end(),
                window.from().stop().toString(),
                window.from().id().text());
    }
}
