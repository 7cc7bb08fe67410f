package dev.mainstay.engine.config;

import dev.mainstay.storage.remote.RemoteKey;

import java.nio.file.Path;
import java.util.OptionalLong;

/// What unwraps the repository's root key.
public sealed interface KeySource {
    /// A key file that `mainstay init` writes.
    record KeyFile(Path path) implements KeySource {}

    record Passphrase(Secret secret) implements KeySource {}

    /// A recovery key, typed from the page that `mainstay keys escrow` wrote; or that page.
    record RecoveryFile(Path path) implements KeySource {}

    /// A key that stays in a PKCS#11 token.
    ///
    /// @param slot the first one that has a token unless given
    /// @param key its label
    record Token(Path library, OptionalLong slot, Secret pin, String key) implements KeySource {}

    /// A key that stays in a cloud's key service.
    record Remote(RemoteKey key) implements KeySource {}
}
