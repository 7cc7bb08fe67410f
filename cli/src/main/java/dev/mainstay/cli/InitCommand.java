package dev.mainstay.cli;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import java.io.IOException;
import java.util.Locale;

/// `mainstay init`
@Command(name = "init")
final class InitCommand implements Verb {
    @Mixin private ComplianceOption compliance = new ComplianceOption();

    @Override
    public Document run(Session session) throws IOException {
        RepositorySettings settings = session.configuration().repository();
        compliance.confirm(session, settings);
        OpenSource.warnOfOpenKey(session); // it may have been there before
        Ground ground = new Ground(session.clock(), session.random());
        try (Repository repository =
                Uninterrupted.call(() -> RepositoryAccess.create(settings, ground))) {
            Document document =
                    Document.of("created repository " + settings.url())
                            .add("repository", repository.id())
                            .add("url", settings.url())
                            .add("encryption", repository.encrypted() ? "aes-256-gcm" : "none");
            settings.lock()
                    .ifPresent(
                            lock ->
                                    document.add(
                                            "lock",
                                            lock.mode().name().toLowerCase(Locale.ROOT)
                                                    + ", "
                                                    + lock.days()
                                                    + " days"));
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
