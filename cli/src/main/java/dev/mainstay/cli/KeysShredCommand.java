package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryKeys;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/// `mainstay keys shred SOURCE`
@Command(
        name = "shred",
        description =
                "destroy the keys of one source, so that nobody can ever read its backups and its"
                        + " WAL")
final class KeysShredCommand implements Verb {
    @Parameters(paramLabel = "SOURCE", description = "its name, whether or not it is configured")
    private String source = "";

    @Option(
            names = "--reason",
            paramLabel = "TEXT",
            required = true,
            description = "why, for those who come later")
    private String reason = "";

    @Option(
            names = "--confirm",
            paramLabel = "SOURCE",
            description = "the name once more, where nobody can be asked to type it")
    private Optional<String> confirmed = Optional.empty();

    @Mixin private CopyOption copy = new CopyOption();

    @Override
    public Document run(Session session) throws IOException {
        copy.apply(session);
        if (reason.isBlank()) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, "say why: --reason TEXT");
        }
        try (Repository repository = OpenSource.repository(session)) {
            RepositoryKeys keys = repository.keys();
            Confirm.typed(
                    session,
                    "every backup and all WAL of source '"
                            + source
                            + "' in "
                            + session.configuration().repository().url()
                            + " will be unreadable for ever, for everybody",
                    source,
                    confirmed);
            RepositoryKeys.Shredded done = keys.shred(source, reason.strip());
            Document document =
                    Document.of("source '" + source + "' was shredded: its keys are destroyed")
                            .add("source", source)
                            .add("id", done.source().id().hex())
                            .add("when", done.source().when())
                            .add("reason", done.source().reason())
                            .addAll(
                                    "whatStays",
                                    List.of(
                                            "copies of the repository can be read until it is"
                                                    + " shredded there, too: --copy COPY",
                                            "a versioned or locked bucket keeps deleted objects as"
                                                + " old versions: remove those below keys/source/"
                                                    + done.source().id()
                                                    + "/, or wait until they expire; the same goes"
                                                    + " for snapshots and backups of the store",
                                            "processes that have the keys go on with them for up to"
                                                + " five minutes: what they still store is lost",
                                            "'mainstay prune' frees the space of its packs"));
            Keys.warn(document, done.unrecorded(), List.of());
            return document;
        }
    }
}
