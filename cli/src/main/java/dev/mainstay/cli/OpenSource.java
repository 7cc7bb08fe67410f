package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import java.util.Map;

/// From the configuration to what a command works on.
final class OpenSource {
    private OpenSource() {}

    static Repository repository(Session session) {
        return RepositoryAccess.open(
                session.configuration().repository(),
                new Ground(session.clock(), session.random()));
    }

    /// A source that was backed up or archived before.
    static ProtectedSource known(Session session, Repository repository, String name) {
        return repository
                .source(name)
                .orElseThrow(
                        () -> {
                            session.configuration().source(name);
                            return new MainstayException(
                                    ErrorCode.SOURCE_UNKNOWN,
                                    "the repository holds nothing of source '" + name + "' yet");
                        });
    }

    static PostgresSettings postgres(Session session, String name) {
        SourceSettings source = session.configuration().source(name);
        return source.postgres();
    }

    static ConnectionSpec connection(Session session, PostgresSettings settings) {
        Map<String, String> environment = new java.util.HashMap<>(session.terminal().environment());
        settings.password().ifPresent(password -> environment.put("PGPASSWORD", password.reveal()));
        return ConnectionSpec.parse(settings.url(), environment);
    }
}
