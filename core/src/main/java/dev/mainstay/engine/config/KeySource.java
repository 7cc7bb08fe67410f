package dev.mainstay.engine.config;

import java.nio.file.Path;

/// What unwraps the repository's root key.
public sealed interface KeySource {
    /// A key file that `mainstay init` writes.
    record KeyFile(Path path) implements KeySource {}

    record Passphrase(Secret secret) implements KeySource {}
}
