package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.check.CheckedSource;
import dev.mainstay.engine.check.Readiness;
import dev.mainstay.engine.check.ServerFix;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay check [SOURCE] [--fix]`
@Command(name = "check")
final class CheckCommand implements Verb {
    @Parameters(
            arity = "0..1",
            paramLabel = "SOURCE",
            description = "only this source of the configuration")
    private Optional<String> source = Optional.empty();

    @Option(names = "--fix", description = "run the statements that put things right")
    private boolean fix;

    @Option(
            names = "--admin-url",
            paramLabel = "URL",
            description =
                    "with --fix: a login with the rights to do so (default: the source's url)")
    private Optional<String> adminUrl = Optional.empty();

    @Option(names = "--yes", description = "do not ask before --fix changes the server")
    private boolean yes;

    @Override
    public Document run(Session session) throws IOException {
        List<String> names = names(session);
        Checklist list = new Checklist();
        try (Readiness readiness =
                Readiness.open(
                        session.configuration().repository(),
                        new Ground(session.clock(), session.random()),
                        session.configuration().sources().keySet())) {
            add(list, "repository", readiness.repository());
            if (names.isEmpty()) {
                add(list, "sources", List.of(noSource(session)));
            }
            for (String name : names) {
                add(list, name, look(session, readiness, name));
            }
        }
        return document(list);
    }

    private List<String> names(Session session) {
        Map<String, ?> sources = session.configuration().sources();
        if (adminUrl.isPresent() && !fix) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--admin-url goes with --fix, which is not given");
        }
        if (adminUrl.isPresent() && source.isEmpty() && sources.size() > 1) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--admin-url names one server, and the configuration has "
                            + sources.size()
                            + " sources",
                    "say which one: mainstay check SOURCE --fix --admin-url URL; configured are: "
                            + String.join(", ", sources.keySet()),
                    null);
        }
        return source.isPresent()
                ? List.of(session.configuration().source(source.get()).name())
                : List.copyOf(sources.keySet());
    }

    private static Finding noSource(Session session) {
        return Finding.warning(
                "sources",
                session.configuration().origin() + " names no source: there is nothing to protect",
                "add one under 'sources'");
    }

    private List<Finding> look(Session session, Readiness readiness, String name)
            throws IOException {
        CheckedSource checked;
        try {
            PostgresSettings settings = OpenSource.postgres(session, name);
            checked =
                    new CheckedSource(
                            name,
                            settings,
                            OpenSource.connection(session, settings),
                            settings.standby()
                                    .map(settings::of)
                                    .map(there -> OpenSource.connection(session, there)));
        } catch (MainstayException unusable) {
            return List.of(failure("configuration", unusable));
        }
        List<Finding> findings = readiness.of(checked);
        List<Finding> fixable =
                findings.stream().filter(each -> each.statement().isPresent()).toList();
        return fix && !fixable.isEmpty() ? fixed(session, readiness, checked, fixable) : findings;
    }

    private List<Finding> fixed(
            Session session, Readiness readiness, CheckedSource checked, List<Finding> fixable)
            throws IOException {
        List<String> statements =
                fixable.stream().flatMap(each -> each.statement().stream()).toList();
        Confirm.danger(
                session,
                "this runs on the server of "
                        + checked.name()
                        + ": "
                        + String.join("; ", statements),
                yes);
        try {
            ConnectionSpec admin =
                    adminUrl.map(url -> ConnectionSpec.parse(url, session.terminal().environment()))
                            .orElse(checked.connection());
            new ServerFix(checked, admin).run(fixable);
        } catch (MainstayException failed) {
            List<Finding> all = new ArrayList<>(List.of(failure("fix", failed)));
            all.addAll(readiness.of(checked));
            return all;
        }
        return readiness.of(checked);
    }

    private static Finding failure(String id, MainstayException failed) {
        return Finding.error(id, failed.code().id() + ": " + failed.getMessage(), failed.hint());
    }

    private static void add(Checklist list, String subject, List<Finding> findings) {
        for (Finding finding : findings) {
            list.add(
                    new Checklist.Item(
                            subject,
                            switch (finding.severity()) {
                                case OK -> State.OK;
                                case WARNING -> State.WARNING;
                                case ERROR -> State.PROBLEM;
                            },
                            finding.id(),
                            finding.text(),
                            finding.whatToDo(),
                            finding.statement(),
                            finding.restartNeeded()));
        }
    }

    private static Document document(Checklist list) {
        long problems = list.count(State.PROBLEM);
        long warnings = list.count(State.WARNING);
        String noted = warnings == 0 ? "" : ", " + counted(warnings, "warning");
        Document document =
                Document.of(
                                problems == 0
                                        ? "ready to back up, archive and restore" + noted
                                        : ErrorCode.CHECK_FAILED.id()
                                                + ": not ready: "
                                                + counted(problems, "problem")
                                                + noted)
                        .add("problems", problems)
                        .add("warnings", warnings)
                        .add("findings", list);
        return problems == 0 ? document : document.failing();
    }

    private static String counted(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }
}
