package dev.mainstay.cli;

import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryKeys;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import java.util.ArrayList;
import java.util.List;

/// `mainstay keys list`
@Command(
        name = "list",
        description = "who can open the repository, and with which keys its sources are sealed")
final class KeysListCommand implements Verb {
    @Mixin private CopyOption copy = new CopyOption();

    @Override
    public Document run(Session session) {
        copy.apply(session);
        try (Repository repository = OpenSource.repository(session)) {
            RepositoryKeys keys = repository.keys();
            RepositoryKeys.Listed listed = keys.recipients();
            Table epochs = Table.of("epoch", "thisKey");
            keys.epochs().forEach((epoch, opens) -> epochs.row(epoch, opens ? "yes" : "no"));
            Table sources = Table.of("source", "keys", "sealedInEpoch");
            keys.sources()
                    .forEach(
                            each ->
                                    sources.row(
                                            each.name(),
                                            Keys.epochs(each.epochs()),
                                            each.rootEpoch()));
            Document document =
                    Document.of(headline(listed.recipients()))
                            .add("recipients", Keys.table(listed.recipients()))
                            .add("epochs", epochs)
                            .add("sources", sources);
            document.add("shreddedSources", Keys.shredded(repository.shredded()));
            Keys.warn(document, java.util.Map.of(), warnings(keys, listed));
            return document;
        }
    }

    private static String headline(List<Recipient> recipients) {
        return recipients.size() == 1
                ? "one way in: who loses it has lost the data; 'mainstay keys escrow' prints"
                        + " another"
                : recipients.size() + " ways in";
    }

    private static List<String> warnings(RepositoryKeys keys, RepositoryKeys.Listed listed) {
        List<String> warnings = new ArrayList<>();
        listed.damaged()
                .forEach(
                        (object, why) ->
                                warnings.add(
                                        object
                                                + " cannot be read ("
                                                + why.code().id()
                                                + ": "
                                                + why.getMessage()
                                                + ")"));
        for (Recipient each : listed.recipients()) {
            if (!each.proven()) {
                warnings.add(
                        each
                                + " is not proved to be genuine: an older program added it, or"
                                + " somebody who can write to the store");
            }
        }
        keys.behind()
                .forEach(
                        source ->
                                warnings.add(
                                        "source "
                                                + source
                                                + " is still sealed with a key of an earlier epoch;"
                                                + " 'mainstay keys rotate' again"));
        return warnings;
    }
}
