package dev.mainstay.cli;

import dev.mainstay.engine.Credentials;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryKeys;
import dev.mainstay.repository.crypto.Credential;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay keys rewrap`
@Command(
        name = "rewrap",
        description = "put a new key in the place of the configuration's: add, prove, remove",
        footer = {"", "The root key stays the same: 'mainstay keys rotate' changes that."})
final class KeysRewrapCommand implements Verb {
    @Mixin private NewKeyOptions fresh = new NewKeyOptions();

    @Option(
            names = "--label",
            paramLabel = "TEXT",
            description = "of the new recipient (default: the old one's)")
    private Optional<String> label = Optional.empty();

    @Option(names = "--yes", description = "do not ask")
    private boolean yes;

    @Mixin private CopyOption copy = new CopyOption();

    @Override
    public Document run(Session session) throws IOException {
        copy.apply(session);
        KeySource source = fresh.source(session);
        try (Repository repository = OpenSource.repository(session)) {
            RepositoryKeys keys = repository.keys();
            List<Recipient> old =
                    keys.recipients().recipients().stream().filter(Recipient::opens).toList();
            Confirm.danger(
                    session,
                    old
                            + " will not open the repository any more, and every host that uses it"
                            + " needs the new key",
                    yes);
            boolean made = Credentials.make(source, session.random());
            Credential credential = Credentials.of(source);
            RepositoryKeys.Change added =
                    keys.add(credential, label.or(() -> old.getFirst().label()));
            Map<String, String> unrecorded = new HashMap<>(added.unrecorded());
            for (Recipient each : old) {
                unrecorded.putAll(keys.remove(each.id(), Optional.of(credential)).unrecorded());
            }
            Recipient now = added.recipients().getFirst();
            Document document =
                    Document.of("recipient " + now + " took the place of " + old)
                            .add("recipient", now.id())
                            .addAll("removed", old.stream().map(Recipient::id).toList())
                            .add("configuration", fresh.configured(session));
            if (source instanceof KeySource.KeyFile file) {
                document.add("keyFile", file.path().toString()).add("keyFileMade", made);
            }
            document.add("whatStays", KeysRemoveCommand.WHAT_STAYS);
            Keys.warn(document, unrecorded, List.of());
            return document;
        }
    }
}
