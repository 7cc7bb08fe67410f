package dev.mainstay.engine.backup;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.OpeningSession;
import dev.mainstay.repository.Repository;

/// Backs up a source of the configuration.
public final class SourceBackup {
    private final Surroundings surroundings;
    private final String source;
    private final Progress progress;

    public SourceBackup(Surroundings surroundings, String source, Progress progress) {
        this.surroundings = surroundings;
        this.source = source;
        this.progress = progress;
    }

    /// The login and the opening of the repository wait for each other's network no longer than
    /// they must.
    ///
    /// @throws dev.mainstay.base.MainstayException SOURCE_UNKNOWN, or as [ClusterBackup#run]
    public ClusterBackup.Result run(ClusterBackup.Request request) {
        PostgresSettings settings = surroundings.configuration().source(source).postgres();
        ConnectionSpec connection = surroundings.connection(settings);
        try (OpeningSession login = OpeningSession.begin(connection, ClusterBackup.APPLICATION);
                Repository repository = surroundings.open()) {
            ClusterBackup backup =
                    new ClusterBackup(
                            repository.sourceOrAdd(source),
                            surroundings.configuration().repository(),
                            settings,
                            connection,
                            progress);
            settings.standby()
                    .map(settings::of)
                    .ifPresent(there -> backup.withStandby(surroundings.connection(there)));
            return backup.run(request, login.take());
        }
    }
}
