package dev.mainstay.engine;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.PostgresSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/// What operations on sources are done with.
public final class Surroundings {
    private final Supplier<Configuration> configuration;
    private final Map<String, String> environment;
    private final Ground ground;

    /// @param environment the process's variables, for passwords of PostgreSQL and the like
    /// @param ground clock and randomness
    public Surroundings(
            Configuration configuration, Map<String, String> environment, Ground ground) {
        this(() -> configuration, environment, ground);
    }

    /// @param configuration may be another one each time it is asked for
    public Surroundings(
            Supplier<Configuration> configuration, Map<String, String> environment, Ground ground) {
        this.configuration = configuration;
        this.environment = Map.copyOf(environment);
        this.ground = ground;
    }

    /// As it is now.
    public Configuration configuration() {
        return configuration.get();
    }

    public Map<String, String> environment() {
        return environment;
    }

    public Ground ground() {
        return ground;
    }

    /// The configured repository; the caller closes it.
    public Repository open() {
        return RepositoryAccess.open(configuration().repository(), ground);
    }

    /// A source that was backed up or archived before.
    ///
    /// @throws MainstayException SOURCE_UNKNOWN, naming the nearest one where the configuration has
    ///   none of this name either, and what [Repository#source] says
    public ProtectedSource known(Repository repository, String name) {
        try {
            return repository.requireSource(name);
        } catch (MainstayException unknown) {
            if (unknown.code() == ErrorCode.SOURCE_UNKNOWN) {
                configuration().source(name);
            }
            throw unknown;
        }
    }

    /// How the server of a source is reached.
    public ConnectionSpec connection(PostgresSettings settings) {
        Map<String, String> variables = new HashMap<>(environment);
        settings.password().ifPresent(password -> variables.put("PGPASSWORD", password.reveal()));
        ConnectionSpec spec = ConnectionSpec.parse(settings.url(), variables);
        return settings.limits().localAddress().map(spec::withLocalAddress).orElse(spec);
    }
}
