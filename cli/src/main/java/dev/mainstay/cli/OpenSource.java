package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.ShellWord;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.KeyFiles;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/// From the configuration to what a command works on.
final class OpenSource {
    private OpenSource() {}

    static Repository repository(Session session) {
        warnOfOpenKey(session);
        try {
            return RepositoryAccess.open(session.configuration().repository(), ground(session));
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.REPOSITORY_MISSING && session.copy().isPresent()) {
                throw new MainstayException(
                        failed.code(),
                        String.valueOf(failed.getMessage()),
                        "'mainstay copy " + session.copy().get() + "' makes it",
                        failed);
            }
            throw failed;
        }
    }

    static Ground ground(Session session) {
        return new Ground(session.clock(), session.random());
    }

    /// Says it and goes on: refusing would keep backups, and at worst a recovery, from being made.
    static void warnOfOpenKey(Session session) {
        RepositorySettings settings = session.configuration().repository();
        try {
            Optional<Path> file = settings.encrypted() ? file(settings) : Optional.empty();
            if (file.isPresent() && !KeyFiles.isPrivate(file.get())) {
                session.terminal()
                        .err()
                        .println(
                                "WARNING: others than its owner may read or change key file "
                                        + file.get());
                session.terminal()
                        .err()
                        .println("HINT: run: chmod 600 " + ShellWord.quote(file.get().toString()));
            }
        } catch (IOException _) {
            // reported when the file is read
        }
    }

    private static Optional<Path> file(RepositorySettings settings) {
        return switch (settings.requireKey()) {
            case KeySource.KeyFile(Path file) -> Optional.of(file);
            case KeySource.RecoveryFile(Path file) -> Optional.of(file);
            case KeySource.Passphrase _, KeySource.Token _, KeySource.Remote _ -> Optional.empty();
        };
    }

    /// A source that was backed up or archived before.
    static ProtectedSource known(Session session, Repository repository, String name) {
        return surroundings(session).known(repository, name);
    }

    static PostgresSettings postgres(Session session, String name) {
        SourceSettings source = session.configuration().source(name);
        return source.postgres();
    }

    static ConnectionSpec connection(Session session, PostgresSettings settings) {
        return surroundings(session).connection(settings);
    }

    static Surroundings surroundings(Session session) {
        return new Surroundings(
                session.configuration(), session.terminal().environment(), ground(session));
    }
}
