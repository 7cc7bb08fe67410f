package dev.mainstay.cli;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Credentials;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryKeys;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.KeyFiles;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;

/// `mainstay keys escrow --to FILE`
@Command(
        name = "escrow",
        description = "write a page with a recovery key of its own, to be printed and kept offline")
final class KeysEscrowCommand implements Verb {
    @Option(
            names = "--to",
            paramLabel = "FILE",
            required = true,
            description = "a new file, for its owner alone; print it, then delete it")
    private Path to = Path.of("");

    @Option(
            names = "--label",
            paramLabel = "TEXT",
            description =
                    "where the page is kept; everybody who can list the store reads it (default:"
                            + " the date)")
    private Optional<String> label = Optional.empty();

    @Mixin private CopyOption copy = new CopyOption();

    @Override
    public Document run(Session session) throws IOException {
        copy.apply(session);
        Path page = Keys.path(session, to);
        LocalDate today = LocalDate.ofInstant(session.clock().instant(), ZoneOffset.UTC);
        byte[] secret = new byte[32];
        session.random().nextBytes(secret);
        try (Repository repository = OpenSource.repository(session)) {
            KeyFiles.write(page, ""); // or fail before there is a recipient whose key is lost
            try {
                return escrowed(session, repository, page, secret, today);
            } catch (MainstayException | IOException failed) {
                Files.deleteIfExists(page);
                throw failed;
            }
        }
    }

    private Document escrowed(
            Session session, Repository repository, Path page, byte[] secret, LocalDate today)
            throws IOException {
        RepositoryKeys.Change change =
                repository
                        .keys()
                        .add(
                                new Credential.RecoveryKey("", secret),
                                label.or(() -> Optional.of("printed " + today)));
        Recipient added = change.recipients().getFirst();
        try {
            List<String> sources =
                    repository.sources((_, _) -> {}).stream().map(ProtectedSource::name).toList();
            EscrowPage content =
                    new EscrowPage(
                            repository.id(),
                            session.configuration().repository().url(),
                            added.id(),
                            Keys.epochs(added.epochs()),
                            sources,
                            today);
            Files.delete(page);
            KeyFiles.write(page, content.text(secret));
            Credential typed = Credentials.of(new KeySource.RecoveryFile(page));
            repository.keys().demandOpens(typed);
        } catch (MainstayException | IOException unwritten) {
            repository.keys().remove(added.id(), Optional.empty());
            throw unwritten;
        }
        Document document =
                Document.of("recovery key written to " + page + "; proved that it opens everything")
                        .add("recipient", added.id())
                        .add("page", page.toString())
                        .add("epochs", Keys.epochs(added.epochs()))
                        .add(
                                "next",
                                "print the page, keep it away from this host, and delete the file:"
                                        + " whoever has it can read every backup");
        Keys.warn(document, change.unrecorded(), List.of());
        return document;
    }
}
