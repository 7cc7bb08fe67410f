package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryKeys;
import dev.mainstay.repository.crypto.Credential;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.List;

/// `mainstay keys remove ID`
@Command(
        name = "remove",
        description = "let a key no longer open the repository",
        footer = {
            "",
            "This stops its future use only. Whoever used it may have kept the root key, or a copy"
                    + " of the",
            "store, and goes on reading: what was sealed so far, and what will be until 'mainstay"
                    + " keys",
            "rotate' begins a new epoch."
        })
final class KeysRemoveCommand implements Verb {
    static final String WHAT_STAYS =
            "who used it may have kept the root key or a copy of the store, and then reads what is"
                    + " sealed up to the next 'mainstay keys rotate'; copies of the repository, and"
                    + " old versions in a versioned bucket, still open with it";

    @Parameters(paramLabel = "ID", description = "as 'mainstay keys list' shows it")
    private String id = "";

    @Option(names = "--yes", description = "do not ask")
    private boolean yes;

    @Mixin private OtherKeyOptions others = new OtherKeyOptions();
    @Mixin private CopyOption copy = new CopyOption();

    @Override
    public Document run(Session session) throws IOException {
        copy.apply(session);
        List<Credential> given = others.read(session);
        if (given.size() > 1) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "one other key is enough to prove a way in");
        }
        try (Repository repository = OpenSource.repository(session)) {
            RepositoryKeys keys = repository.keys();
            Confirm.danger(session, "recipient " + id + " will not open the repository", yes);
            RepositoryKeys.Change change = keys.remove(id, given.stream().findFirst());
            Document document =
                    Document.of(
                                    change.recipients().isEmpty()
                                            ? "recipient " + id + " removed"
                                            : change.recipients().getFirst() + " removed")
                            .add("recipient", id)
                            .add("whatStays", WHAT_STAYS);
            Keys.warn(document, change.unrecorded(), List.of());
            return document;
        }
    }
}
