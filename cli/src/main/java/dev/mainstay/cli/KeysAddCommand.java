package dev.mainstay.cli;

import dev.mainstay.engine.Credentials;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryKeys;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.List;
import java.util.Optional;

/// `mainstay keys add`
@Command(name = "add", description = "let a further key open the repository, all of it")
final class KeysAddCommand implements Verb {
    @Mixin private NewKeyOptions fresh = new NewKeyOptions();
    @Mixin private CopyOption copy = new CopyOption();

    @Option(
            names = "--label",
            paramLabel = "TEXT",
            description = "whose it is or where; everybody who can list the store reads it")
    private Optional<String> label = Optional.empty();

    @Override
    public Document run(Session session) {
        copy.apply(session);
        KeySource source = fresh.source(session);
        try (Repository repository = OpenSource.repository(session)) {
            boolean made = Credentials.make(source, session.random());
            RepositoryKeys.Change change = repository.keys().add(Credentials.of(source), label);
            Recipient added = change.recipients().getFirst();
            Document document =
                    Document.of("recipient " + added + " added; proved that it opens everything")
                            .add("recipient", added.id())
                            .add("kind", added.kind())
                            .add("epochs", Keys.epochs(added.epochs()));
            if (source instanceof KeySource.KeyFile file) {
                document.add("keyFile", file.path().toString()).add("keyFileMade", made);
            }
            document.add("configuration", fresh.configured(session));
            Keys.warn(document, change.unrecorded(), List.of());
            return document;
        }
    }
}
