package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.cluster.Preflight;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.StoreFacts;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
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
            description = "connection with the rights to do so (default: the source's url)")
    private Optional<String> adminUrl = Optional.empty();

    @Option(names = "--yes", description = "do not ask before --fix changes the server")
    private boolean yes;

    @Override
    public Document run(Session session) throws IOException, SQLException {
        Table table = Table.of("source", "severity", "finding", "whatToDo", "statement");
        int errors = repository(session, table);
        List<String> names =
                source.isPresent()
                        ? List.of(session.configuration().source(source.get()).name())
                        : List.copyOf(session.configuration().sources().keySet());
        for (String name : names) {
            errors += source(session, name, table);
        }
        Document document =
                Document.of(
                                errors == 0
                                        ? "ready"
                                        : ErrorCode.CHECK_FAILED.id()
                                                + ": "
                                                + errors
                                                + " things stand against backups")
                        .add("errors", errors)
                        .add("findings", table);
        return errors == 0 ? document : document.failing();
    }

    private static int repository(Session session, Table table) {
        try (Repository repository = OpenSource.repository(session)) {
            StoreFacts facts = repository.store().facts();
            table.row("-", "ok", "repository " + facts.url() + " opens", "", "");
            if (!facts.putIfAbsent() || !facts.durable()) {
                table.row(
                        "-",
                        "warning",
                        "the store cannot promise that an object is written once and survives a"
                                + " crash",
                        "use a file system with hard links",
                        "");
            }
            if (!repository.encrypted()) {
                table.row("-", "warning", "the repository is not encrypted", "", "");
            }
            return 0;
        } catch (MainstayException failed) {
            table.row(
                    "-",
                    "error",
                    failed.code().id() + ": " + failed.getMessage(),
                    failed.hint(),
                    "");
            return 1;
        }
    }

    private int source(Session session, String name, Table table) throws IOException, SQLException {
        PostgresSettings settings = OpenSource.postgres(session, name);
        ConnectionSpec spec = OpenSource.connection(session, settings);
        Path data =
                settings.dataDirectory()
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.CONFIG_INVALID,
                                                "source " + name + " has no data-directory"));
        List<Finding> findings = inspect(spec, data);
        if (fix && findings.stream().anyMatch(each -> each.statement().isPresent())) {
            findings = fix(session, name, spec, data, findings);
        }
        int errors = 0;
        for (Finding finding : findings) {
            boolean error = finding.severity() == Finding.Severity.ERROR;
            errors += error ? 1 : 0;
            table.row(
                    name,
                    error ? "error" : "warning",
                    finding.text() + (finding.restartNeeded() ? " (needs a restart)" : ""),
                    finding.whatToDo(),
                    finding.statement().orElse(""));
        }
        if (findings.isEmpty()) {
            table.row(name, "ok", "server, rights, settings and files fit", "", "");
        }
        return errors;
    }

    private static List<Finding> inspect(ConnectionSpec spec, Path data) throws SQLException {
        try (Connection sql = SqlSession.openSql(spec, "mainstay check")) {
            return Preflight.inspect(sql, data, Waiter.sleeping(Duration.ofMillis(50))).findings();
        }
    }

    private List<Finding> fix(
            Session session, String name, ConnectionSpec spec, Path data, List<Finding> findings)
            throws IOException, SQLException {
        List<String> statements = new ArrayList<>();
        findings.forEach(finding -> finding.statement().ifPresent(statements::add));
        Confirm.danger(
                session,
                "this runs on the server of " + name + ": " + String.join("; ", statements),
                yes);
        ConnectionSpec admin =
                adminUrl.map(
                                url ->
                                        ConnectionSpec.parse(
                                                        url,
                                                        Map.copyOf(
                                                                session.terminal().environment()))
                                                .withDatabase(spec.database()))
                        .orElse(spec);
        try (Connection sql = SqlSession.openSql(admin, "mainstay check")) {
            List<Finding> restart = Preflight.fix(sql, findings);
            restart.forEach(
                    each ->
                            session.progress()
                                    .note(
                                            "restart the server of "
                                                    + name
                                                    + " for: "
                                                    + each.text()));
        }
        return inspect(spec, data);
    }
}
