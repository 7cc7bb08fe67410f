package dev.mainstay.cli;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;

/// `mainstay init`
@Command(name = "init")
final class InitCommand implements Verb {
    @Override
    public Document run(Session session) {
        RepositorySettings settings = session.configuration().repository();
        OpenSource.warnOfOpenKey(session); // it may have been there before
        Ground ground = new Ground(session.clock(), session.random());
        try (Repository repository =
                Uninterrupted.call(() -> RepositoryAccess.create(settings, ground))) {
            Document document =
                    Document.of("created repository " + settings.url())
                            .add("repository", repository.id())
                            .add("url", settings.url())
                            .add("encryption", repository.encrypted() ? "aes-256-gcm" : "none");
            if (!repository.encrypted()) {
                session.terminal()
                        .err()
                        .println(
                                "WARNING: nothing in this repository is encrypted: whoever can read"
                                        + " the store can read the database");
            } else if (settings.requireKey() instanceof KeySource.KeyFile file) {
                document.add("keyFile", file.path().toString());
                session.terminal()
                        .err()
                        .println(
                                "Keep a copy of "
                                        + file.path()
                                        + " away from this host: without it no backup can be"
                                        + " restored.");
            }
            return document;
        }
    }
}
