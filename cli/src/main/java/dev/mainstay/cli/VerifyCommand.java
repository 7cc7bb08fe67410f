package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.engine.retention.KeptLocks;
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
            VerifyReport report = new Verification(repository, options, session.progress()).run();
            Optional<KeptLocks.Report> locks =
                    repository
                            .store()
                            .locks()
                            .map(
                                    each ->
                                            LockFindings.kept(session, repository)
                                                    .look(each, source, session.progress()));
            return withLocks(document(report, locks), locks);
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

    private static Document withLocks(Document document, Optional<KeptLocks.Report> locks) {
        if (locks.isEmpty()) {
            return document;
        }
        KeptLocks.Report report = locks.get();
        document.add("locked", report.survey().needed().objects());
        LockFindings.problems(document, report);
        return report.isWell() ? document : document.failing();
    }

    private static String fine(Optional<KeptLocks.Report> locks) {
        boolean well = locks.filter(each -> !each.isWell()).isEmpty();
        return well
                ? "everything is readable, complete and continuous"
                : ErrorCode.LOCKS_LACKING.id()
                        + ": everything is readable, complete and continuous, but not everything is"
                        + " locked that should be";
    }

    private Document document(VerifyReport report, Optional<KeptLocks.Report> locks) {
        RepositoryCheck.Result contents = report.contents();
        Document document =
                Document.of(
                                report.ok()
                                        ? fine(locks)
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
        if (!contents.shredded().isEmpty()) {
            document.add("shreddedSources", Keys.shredded(contents.shredded()));
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
