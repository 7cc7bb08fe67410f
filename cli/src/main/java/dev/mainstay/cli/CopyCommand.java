package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.CopyLag;
import dev.mainstay.engine.config.CopySettings;
import dev.mainstay.engine.retention.SubsetRule;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CopySubset;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.wrap.Throttle;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay copy [COPY] [--plan]`
@Command(name = "copy")
final class CopyCommand implements Verb {
    private static final int THREADS = 2;

    /// Damaged objects that are shown one by one.
    private static final int SHOWN = 1000;

    @Parameters(
            arity = "0..1",
            paramLabel = "COPY",
            description = "only this one of the configuration's copies (default: all)")
    private Optional<String> name = Optional.empty();

    @Mixin private ComplianceOption compliance = new ComplianceOption();

    @Option(names = "--plan", description = "say what is missing there, and change nothing")
    private boolean planOnly;

    /// Filled by [#one].
    private final Table copies = Table.of("copy", "objects", "size", "behind", "where");

    private final Table kinds = Table.of("copy", "kind", "objects", "size");
    private final Table freed = Table.of("copy", "removed", "freed");
    private final Table damaged = Table.of("copy", "object", "error", "what");
    private final List<String> failures = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    @Mixin private ServerOption server = new ServerOption();

    @Override
    public Document run(Session session) throws IOException {
        if (server.isGiven()) {
            return planOnly
                    ? RemoteWork.copyState(server, session, name)
                    : RemoteWork.copy(server, session, name);
        }
        Collection<CopySettings> chosen =
                name.map(one -> List.of(session.configuration().copy(one)))
                        .orElseGet(() -> List.copyOf(session.configuration().copies().values()));
        if (chosen.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "no copies in " + session.configuration().origin(),
                    "add one: copies: { NAME: { url: … } }",
                    null);
        }
        Amount all = new Amount(0, 0);
        try (Repository repository = OpenSource.repository(session)) {
            for (CopySettings copy : chosen) {
                all = all.plus(attempt(session, repository, copy));
            }
        }
        return document(all);
    }

    /// A copy that fails keeps nobody from the others.
    private Amount attempt(Session session, Repository repository, CopySettings copy)
            throws IOException {
        try {
            return one(session, repository, copy);
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.INTERRUPTED) {
                throw failed;
            }
            failures.add(
                    copy.name()
                            + ": "
                            + failed.code().id()
                            + ": "
                            + failed.getMessage()
                            + "; "
                            + failed.hint());
            return new Amount(0, 0);
        }
    }

    private Amount one(Session session, Repository repository, CopySettings copy)
            throws IOException {
        try (ObjectStore store =
                RepositoryAccess.openCopy(copy.repository(), OpenSource.ground(session))) {
            if (!planOnly && store.list("", "", 1).objects().isEmpty()) {
                compliance.confirm(session, copy.repository());
            }
            Optional<CopySubset> subset =
                    SubsetRule.of(session.configuration(), copy, session.clock().instant());
            RepositoryCopy work =
                    new RepositoryCopy(
                            repository,
                            store,
                            subset,
                            Throttle.of(copy.maxRate()),
                            THREADS,
                            session.progress()::advance);
            Map<String, Amount> missing = work.missing();
            Map<String, Amount> done = planOnly ? missing : run(session, copy, work, missing);
            Amount total = RepositoryCopy.total(done);
            done.forEach(
                    (kind, amount) ->
                            kinds.row(
                                    copy.name(),
                                    kind,
                                    amount.objects(),
                                    ByteSize.of(amount.bytes())));
            copies.row(
                    copy.name(),
                    total.objects(),
                    ByteSize.of(total.bytes()),
                    CopyLag.of(repository, store, subset, session.clock().instant()),
                    copy.repository().url());
            return total;
        }
    }

    private Map<String, Amount> run(
            Session session, CopySettings copy, RepositoryCopy work, Map<String, Amount> missing) {
        session.progress()
                .begin("copying to " + copy.name(), RepositoryCopy.total(missing).bytes());
        try {
            RepositoryCopy.Result result = work.run();
            result.damaged().stream()
                    .limit(SHOWN)
                    .forEach(
                            each ->
                                    damaged.row(
                                            copy.name(),
                                            each.name(),
                                            each.why().code().id(),
                                            String.valueOf(each.why().getMessage())));
            result.stillReadable()
                    .forEach(
                            source ->
                                    warnings.add(
                                            "source "
                                                    + source
                                                    + " can still be read in "
                                                    + copy.name()
                                                    + ": 'mainstay keys shred "
                                                    + source
                                                    + " --copy "
                                                    + copy.name()
                                                    + "'"));
            result.otherWaysIn()
                    .forEach(
                            id ->
                                    warnings.add(
                                            "recipient "
                                                    + id
                                                    + " opens "
                                                    + copy.name()
                                                    + " and not the repository: 'mainstay keys"
                                                    + " remove "
                                                    + id
                                                    + " --copy "
                                                    + copy.name()
                                                    + "'"));
            partial(copy, result.partial());
            return result.copied();
        } finally {
            session.progress().end();
        }
    }

    private void partial(CopySettings copy, RepositoryCopy.Partial partial) {
        partial.waiting().forEach(each -> warnings.add(copy.name() + ": waits: " + each));
        if (partial.fellOut() > 0 || partial.freedBytes() > 0) {
            freed.row(copy.name(), partial.fellOut(), ByteSize.of(partial.freedBytes()));
        }
    }

    private Document document(Amount all) {
        Document document = Document.of(headline(all)).add("copies", copies).add("kinds", kinds);
        if (!freed.isEmpty()) {
            document.add("freed", freed);
        }
        if (!damaged.isEmpty()) {
            document.add("damaged", damaged).add("hint", ErrorCode.VERIFY_FAILED.hint());
        }
        if (!failures.isEmpty()) {
            document.addAll("failed", failures);
        }
        if (!warnings.isEmpty()) {
            document.addAll("warnings", warnings);
        }
        return damaged.isEmpty() && failures.isEmpty() ? document : document.failing();
    }

    private String headline(Amount all) {
        if (!failures.isEmpty()) {
            return failures.size() == 1 ? "a copy failed" : failures.size() + " copies failed";
        }
        if (!damaged.isEmpty()) {
            return ErrorCode.OBJECT_DAMAGED.id()
                    + ": objects of the repository are damaged, and were not copied";
        }
        if (all.objects() == 0) {
            return "nothing is missing";
        }
        return (planOnly ? "missing: " : "copied: ")
                + all.objects()
                + (all.objects() == 1 ? " object, " : " objects, ")
                + ByteSize.of(all.bytes());
    }
}
