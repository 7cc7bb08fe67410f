package dev.mainstay.cli;

import dev.mainstay.engine.check.SameCluster;
import dev.mainstay.engine.config.Configuration;

import picocli.CommandLine.Command;

import java.util.List;

/// `mainstay config check`: reads the file and says all that is wrong with it. It opens no
/// repository and no connection; that is what `mainstay check` does.
@Command(
        name = "check",
        description = "read the configuration, with all that is wrong with it, and nothing else")
final class ConfigCheckCommand implements Verb {
    @Override
    public Document run(Session session) {
        Configuration configuration = session.configuration();
        ServerCommand.check(configuration);
        Document document =
                Document.of(configuration.origin() + " is right")
                        .add("repository", configuration.repository().url())
                        .addAll("copies", configuration.copies().keySet())
                        .addAll("sources", configuration.sources().keySet());
        List<String> clusters = SameCluster.told(OpenSource.surroundings(session));
        if (!clusters.isEmpty()) {
            document.addAll("sameCluster", clusters);
        }
        return configuration.warnings().isEmpty()
                ? document
                : document.add("warnings", configuration.warnings().size());
    }
}
