package dev.mainstay.cli;

import dev.mainstay.engine.config.Configuration;

import picocli.CommandLine.Command;

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
        return configuration.warnings().isEmpty()
                ? document
                : document.add("warnings", configuration.warnings().size());
    }
}
