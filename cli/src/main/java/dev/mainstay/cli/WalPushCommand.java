package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.repository.WalArchive;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.Optional;

/// `mainstay wal push PATH`, for `archive_command`.
@Command(
        name = "push",
        description = "store one WAL file: archive_command = 'mainstay wal push %%p'")
final class WalPushCommand implements Verb {
    @Parameters(paramLabel = "PATH", description = "the file, as PostgreSQL gives it for %%p")
    private String path = "";

    @Option(
            names = "--source",
            paramLabel = "NAME",
            description = "which source (may be left out where only one is configured)")
    private Optional<String> source = Optional.empty();

    @Override
    public Document run(Session session) {
        String name = sourceName(session.configuration(), source);
        Path here = session.terminal().workingDirectory();
        Path file = here.resolve(path);
        WalArchive.Stored stored = session.wal().push(session, name, file, here);
        return Document.of("stored " + file.getFileName())
                .add("file", String.valueOf(file.getFileName()))
                .add("storedBefore", stored == WalArchive.Stored.SAME_CONTENT_BEFORE);
    }

    static String sourceName(Configuration configuration, Optional<String> given) {
        if (given.isPresent()) {
            return configuration.source(given.get()).name();
        }
        if (configuration.sources().size() == 1) {
            return configuration.sources().keySet().iterator().next();
        }
        throw new MainstayException(
                ErrorCode.USAGE_INVALID,
                "the configuration has "
                        + configuration.sources().size()
                        + " sources; say which one with --source NAME");
    }
}
