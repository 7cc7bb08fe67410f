package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.Optional;

/// `mainstay verify [SOURCE] [--data PERCENT]`
@Command(name = "verify")
final class VerifyCommand implements Verb {
    /// Findings that text and JSON show one by one.
    private static final int SHOWN = 1000;

    @Parameters(
            arity = "0..1",
            paramLabel = "SOURCE",
            description = "only what belongs to this source (default: everything)")
    private Optional<String> source = Optional.empty();

    @Option(
            names = "--data",
            paramLabel = "PERCENT",
            description =
                    "how much of the packs and WAL is read, such as 10%% (default: 100%%);"
                            + " metadata is read wholly in any case")
    private String data = "100%";

    @Mixin private FromOption from = new FromOption();

    @Override
    public Document run(Session session) {
        from.apply(session);
        try (Repository repository = OpenSource.repository(session)) {
            RepositoryCheck.Options options =
                    new RepositoryCheck.Options(source, percent(), session.random().nextLong(), 2);
            return document(new Verification(repository, options, session.progress()).run());
        }
    }

    private double percent() {
        try {
            double percent = Double.parseDouble(data.endsWith("%") ? chopped() : data);
            if (percent >= 0 && percent <= 100) {
                return percent;
            }
        } catch (NumberFormatException _) {
            // told below
        }
        throw new MainstayException(
                ErrorCode.USAGE_INVALID, "--data '" + data + "' is no percentage from 0 to 100");
    }

    private String chopped() {
        return data.substring(0, data.length() - 1);
    }

    private Document document(VerifyReport report) {
        RepositoryCheck.Result contents = report.contents();
        Document document =
                Document.of(
                                report.ok()
                                        ? "everything is readable, complete and continuous"
                                        : ErrorCode.VERIFY_FAILED.id()
                                                + ": "
                                                + report.findingCount()
                                                + " of the repository's objects are damaged or"
                                                + " missing")
                        .add("ok", report.ok())
                        .add("backups", report.backups())
                        .add("objects", contents.objects())
                        .add("size", ByteSize.of(contents.bytes()))
                        .add("packs", contents.packs())
                        .add("packsRead", contents.packsRead())
                        .add("packsUnused", contents.unusedPacks())
                        .add("frames", contents.frames())
                        .add("walSegments", report.segments())
                        .add("summariesCompared", report.summariesCompared())
                        .add("unknownObjects", contents.unknownCount());
        if (contents.unknownCount() > 0) {
            document.addAll("unknown", contents.unknownObjects());
        }
        if (!report.ok()) {
            document.add("findings", findings(report))
                    .add("hint", ErrorCode.VERIFY_FAILED.hint())
                    .failing();
        }
        return document;
    }

    private static Table findings(VerifyReport report) {
        Table table = Table.of("error", "object", "what", "backups", "recoveryWindowLost");
        report.findings().stream()
                .limit(SHOWN)
                .forEach(
                        finding ->
                                table.row(
                                        finding.code().id(),
                                        finding.object(),
                                        finding.what(),
                                        finding.backups().stream().sorted().toList(),
                                        finding.lost()));
        return table;
    }
}
