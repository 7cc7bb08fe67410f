package dev.mainstay.cli;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ConfigurationWarning;

import org.jspecify.annotations.Nullable;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.random.RandomGenerator;

/// What a command works with.
final class Session {
    private final Terminal terminal;
    private final Output output;
    private final Optional<Path> configFile;
    private final InstantSource clock;
    private final Progress progress;
    private final WalRoute wal;
    private @Nullable Configuration configuration;
    private @Nullable RandomGenerator random;
    private Optional<String> copy = Optional.empty();

    Session(
            Terminal terminal,
            Output output,
            Optional<Path> configFile,
            InstantSource clock,
            Progress progress) {
        this(terminal, output, configFile, clock, progress, new DirectWal());
    }

    Session(
            Terminal terminal,
            Output output,
            Optional<Path> configFile,
            InstantSource clock,
            Progress progress,
            WalRoute wal) {
        this.terminal = terminal;
        this.output = output;
        this.configFile = configFile;
        this.clock = clock;
        this.progress = progress;
        this.wal = wal;
    }

    Terminal terminal() {
        return terminal;
    }

    Output output() {
        return output;
    }

    /// The configuration file as `--config` named it.
    Optional<Path> configOption() {
        return configFile;
    }

    /// From now on the configuration has this copy in the repository's place.
    void useCopy(String name) {
        configuration = configuration().from(name);
        copy = Optional.of(name);
    }

    /// From now on the configuration has the repository, or the copy, as it was.
    void useTime(Instant time) {
        configuration = configuration().asOf(time);
    }

    /// The copy that is used in the repository's place.
    Optional<String> copy() {
        return copy;
    }

    InstantSource clock() {
        return clock;
    }

    Progress progress() {
        return progress;
    }

    /// How single files of WAL go in and out.
    WalRoute wal() {
        return wal;
    }

    /// Fit for keys and ids.
    RandomGenerator random() {
        if (random == null) {
            random = new SecureRandom();
        }
        return random;
    }

    /// As it is now, for who goes on for long.
    Configuration readConfiguration() {
        return new ConfigurationReader(terminal.environment())
                .find(configFile, terminal.workingDirectory());
    }

    /// Read when first asked for, since not every command needs one; its warnings go to standard
    /// error.
    Configuration configuration() {
        if (configuration == null) {
            configuration = readConfiguration();
            for (ConfigurationWarning warning : configuration.warnings()) {
                terminal.err().println("WARNING: " + warning.path() + ": " + warning.message());
                terminal.err().println("HINT: " + warning.hint());
            }
        }
        return configuration;
    }
}
