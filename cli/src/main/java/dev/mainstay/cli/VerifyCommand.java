package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.engine.proof.Repair;
import dev.mainstay.engine.proof.Scrubbing;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.engine.retention.KeptLocks;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.ScrubPosition;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/// `mainstay verify [SOURCE | --backup ID] [--data PERCENT] [--repair] [--scrub]`
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
            names = "--backup",
            paramLabel = "ID",
            description =
                    "only what restoring this backup needs: its record, all content it refers to,"
                            + " and the WAL from its start to its end")
    private Optional<String> backup = Optional.empty();

    @Option(
            names = "--data",
            paramLabel = "PERCENT",
            description =
                    "how much of the packs and WAL is read, such as 10%% (default: 100%%);"
                            + " metadata is read wholly in any case")
    private Optional<String> data = Optional.empty();

    @Option(
            names = "--repair",
            description =
                    "put right what is damaged or missing, from the configured copies or from the"
                            + " one that --from names")
    private boolean repair;

    @Option(
            names = "--scrub",
            description =
                    "read the next share of what is stored, from where the last run stopped, so"
                            + " that all of it is read once in 30 days (verify.every in the"
                            + " configuration); run it daily")
    private boolean scrub;

    @Option(
            names = "--budget",
            paramLabel = "SIZE",
            description = "with --scrub: read at most so much, such as 50GiB")
    private Optional<String> budget = Optional.empty();

    @Mixin private FromOption from = new FromOption();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        demandSensible();
        if (server.isGiven()) {
            server.without("--data", data.isPresent())
                    .without("--repair", repair)
                    .without("--scrub", scrub)
                    .without("--from", from.isGiven());
            return RemoteWork.job(
                    server,
                    session,
                    backup.isPresent()
                            ? Map.of("kind", "verify", "backup", backup.get())
                            : Map.of("kind", "verify", "target", source.orElse("")));
        }
        if (repair) {
            return repair(session);
        }
        from.apply(session);
        try (Repository repository = OpenSource.repository(session)) {
            if (backup.isPresent()) {
                return one(session, repository, FoundBackup.of(repository, backup.get()));
            }
            Optional<Scrubbing> share = share(session, repository);
            VerifyReport report =
                    new Verification(repository, options(session, share), session.progress()).run();
            Optional<KeptLocks.Report> locks = locks(session, repository);
            String headline =
                    report.ok()
                            ? fine(locks)
                            : ErrorCode.VERIFY_FAILED.id()
                                    + ": "
                                    + report.findingCount()
                                    + " of the repository's objects are damaged or missing";
            Document document = document(headline, report, ErrorCode.VERIFY_FAILED);
            share.ifPresent(each -> end(each, repository, document));
            return withLocks(document, locks);
        }
    }

    /// Locks and what no backup needs are not looked at.
    private Document one(Session session, Repository repository, FoundBackup found) {
        RepositoryCheck.Options options =
                options(session, Optional.empty()).of(found.source().name(), found.backup().id());
        VerifyReport report = new Verification(repository, options, session.progress()).run();
        RepositoryCheck.Result contents = report.contents();
        String what = "backup " + found.backup().id() + " of " + found.source().name();
        Document document =
                Document.of(
                                report.ok()
                                        ? what
                                                + " is complete and readable, and so is the WAL"
                                                + " that it needs"
                                        : ErrorCode.VERIFY_FAILED.id()
                                                + ": "
                                                + what
                                                + " needs "
                                                + report.findingCount()
                                                + " objects that are damaged or missing")
                        .add("ok", report.ok())
                        .add("source", found.source().name())
                        .add("backup", found.backup().id().text())
                        .add("packsRead", contents.packsRead())
                        .add("size", ByteSize.of(contents.bytes()))
                        .add("frames", contents.frames())
                        .add("walSegments", report.segments());
        return withFindings(document, report, ErrorCode.VERIFY_FAILED);
    }

    private void demandSensible() {
        if (backup.isPresent() && (source.isPresent() || repair || scrub)) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--backup names all that is looked at: it takes neither a SOURCE, nor --repair"
                            + " or --scrub",
                    "what is damaged is put right by 'mainstay verify SOURCE --repair'",
                    null);
        }
        if (repair) {
            from.demandPresent("--repair");
        }
        if (scrub) {
            from.demandPresent("--scrub");
        }
        if (scrub && (source.isPresent() || data.isPresent())) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--scrub goes through all of the repository, share by share: it takes neither a"
                            + " SOURCE nor --data");
        }
        if (budget.isPresent() && !scrub) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, "--budget needs --scrub");
        }
    }

    private Optional<Scrubbing> share(Session session, Repository repository) {
        return scrub
                ? Optional.of(
                        Scrubbing.next(repository, session.configuration().verify(), budget()))
                : Optional.empty();
    }

    private static void end(Scrubbing share, Repository repository, Document document) {
        ScrubPosition end = share.end(repository);
        document.add("scrubbed", share.read())
                .add("scrubbedOf", share.everything())
                .add("roundBegan", end.begun())
                .add("everythingReadSince", end.before());
        share.warning().ifPresent(warning -> document.add("warning", warning));
    }

    private Optional<ByteSize> budget() {
        try {
            return budget.map(ByteSize::parse);
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--budget: " + wrong.getMessage(), wrong);
        }
    }

    private RepositoryCheck.Options options(Session session, Optional<Scrubbing> share) {
        RepositoryCheck.Options all =
                new RepositoryCheck.Options(source, percent(), session.random().nextLong(), 2);
        return share.map(each -> each.options(all)).orElse(all);
    }

    private Document repair(Session session) {
        Repair.Report report;
        Optional<Scrubbing> share;
        try (Repairing work = Repairing.open(session, from.copy())) {
            work.foundations();
            try (Repository repository = OpenSource.repository(session)) {
                share = share(session, repository);
            }
            report = work.run(options(session, share));
        }
        try (Repository repository = OpenSource.repository(session)) {
            Optional<KeptLocks.Report> locks = locks(session, repository);
            String headline = Repairing.headline(report, fine(locks));
            Document document = document(headline, report.left(), ErrorCode.REPAIR_INCOMPLETE);
            Repairing.describe(document, report);
            share.ifPresent(each -> end(each, repository, document));
            return withLocks(document, locks);
        }
    }

    private Optional<KeptLocks.Report> locks(Session session, Repository repository) {
        return repository
                .store()
                .locks()
                .map(
                        each ->
                                LockFindings.kept(session, repository)
                                        .look(each, source, session.progress()));
    }

    private double percent() {
        String text = data.orElse("100%");
        try {
            String number = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
            double percent = Double.parseDouble(number);
            if (percent >= 0 && percent <= 100) {
                return percent;
            }
        } catch (NumberFormatException _) {
            // told below
        }
        throw new MainstayException(
                ErrorCode.USAGE_INVALID, "--data '" + text + "' is no percentage from 0 to 100");
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

    private static Document document(String headline, VerifyReport report, ErrorCode failure) {
        RepositoryCheck.Result contents = report.contents();
        Document document =
                Document.of(headline)
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
        return withFindings(document, report, failure);
    }

    private static Document withFindings(
            Document document, VerifyReport report, ErrorCode failure) {
        RepositoryCheck.Result contents = report.contents();
        if (!report.ok()) {
            document.add("findings", findings(report));
            if (!contents.lostFiles().isEmpty()) {
                document.add("lostFiles", lostFiles(contents));
            }
            document.add("hint", failure.hint()).failing();
        }
        return document;
    }

    private static Table lostFiles(RepositoryCheck.Result contents) {
        Table table = Table.of("source", "path", "pages", "backups");
        contents.lostFiles().stream()
                .limit(SHOWN)
                .forEach(
                        file ->
                                table.row(
                                        file.source(),
                                        file.path(),
                                        file.pages(),
                                        file.backups().stream().sorted().toList()));
        return table;
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
