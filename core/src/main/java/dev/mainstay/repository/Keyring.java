package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.KeyScope;

import java.util.Optional;

/// The keys with which a vault seals and opens. Further epochs may come while it is used.
interface Keyring {
    /// Whoever opens what nobody sealed.
    Keyring NONE =
            new Keyring() {
                @Override
                public boolean seals() {
                    return false;
                }

                @Override
                public KeyScope newest() {
                    return KeyScope.none();
                }

                @Override
                public Optional<byte[]> key(KeyScope scope) {
                    return Optional.empty();
                }
            };

    /// Whether this repository is encrypted.
    boolean seals();

    /// What new objects are sealed with.
    ///
    /// @throws MainstayException if nothing may be written with these keys
    KeyScope newest();

    /// The key of a scope; empty if this is not among them.
    Optional<byte[]> key(KeyScope scope);
}
