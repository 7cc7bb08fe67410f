package dev.mainstay.engine;

import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;

import java.util.HashMap;
import java.util.Map;

/// What operations on sources are done with.
///
/// @param environment the process's variables, for passwords of PostgreSQL and the like
/// @param ground clock and randomness
public record Surroundings(
        Configuration configuration, Map<String, String> environment, Ground ground) {
    public Surroundings {
        environment = Map.copyOf(environment);
    }

    /// The configured repository; the caller closes it.
    public Repository open() {
        return RepositoryAccess.open(configuration.repository(), ground);
    }

    /// How the server of a source is reached.
    public ConnectionSpec connection(PostgresSettings settings) {
        Map<String, String> variables = new HashMap<>(environment);
        settings.password().ifPresent(password -> variables.put("PGPASSWORD", password.reveal()));
        ConnectionSpec spec = ConnectionSpec.parse(settings.url(), variables);
        return settings.limits().localAddress().map(spec::withLocalAddress).orElse(spec);
    }
}
