package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.check.LiveCheck;
import dev.mainstay.engine.config.PostgresSettings;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/// `mainstay amcheck SOURCE [--max-rate SIZE]`
@Command(
        name = "amcheck",
        footer = {
            "",
            "The rows of every table and the order of every B-tree index, in each database that has"
                    + " the",
            "extension amcheck. Nothing is written; the server goes on with its work."
        })
final class AmcheckCommand implements Verb {
    @Parameters(paramLabel = "SOURCE", description = "a source of the configuration")
    private String source = "";

    @Option(
            names = "--max-rate",
            paramLabel = "SIZE",
            description = "bytes a second to look at (default: max-rate of the source, or 32MiB)")
    private Optional<String> rate = Optional.empty();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            server.without("--max-rate", rate.isPresent());
            return RemoteWork.job(server, session, Map.of("kind", "amcheck", "target", source));
        }
        PostgresSettings settings = OpenSource.postgres(session, source);
        LiveCheck.Report report =
                new LiveCheck(
                                OpenSource.connection(session, settings),
                                rate(settings),
                                session.progress())
                        .run();
        boolean well = report.damage().isEmpty();
        Document document =
                Document.of(
                                well
                                        ? "amcheck finds nothing wrong in " + source
                                        : ErrorCode.CLUSTER_DAMAGED.id()
                                                + ": amcheck finds the running cluster of "
                                                + source
                                                + " damaged")
                        .addAll("databases", report.databases())
                        .add("tables", report.tables())
                        .add("indexes", report.indexes())
                        .add("size", report.size());
        if (!report.notes().isEmpty()) {
            document.addAll("warnings", report.notes());
        }
        if (!well) {
            document.addAll("damage", report.damage())
                    .add("next", ErrorCode.CLUSTER_DAMAGED.hint());
        }
        return well ? document : document.failing();
    }

    private ByteSize rate(PostgresSettings settings) {
        try {
            return rate.map(ByteSize::parse).orElseGet(() -> LiveCheck.rate(settings));
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--max-rate: " + wrong.getMessage(), wrong);
        }
    }
}
