package dev.mainstay.engine.config;

import java.nio.file.Path;

/// What unwraps the repository's root key.
public sealed interface KeySource {
    /// A key file that `mainstay init` writes.
    record KeyFile(Path path) implements KeySource {}

    record Passphrase(Secret secret) implements KeySource {}

    /// A recovery key, typed from the page that `mainstay keys escrow` wrote; or that page.
    record RecoveryFile(Path path) implements KeySource {}
}
