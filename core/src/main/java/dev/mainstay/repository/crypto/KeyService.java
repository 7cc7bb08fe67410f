package dev.mainstay.repository.crypto;

import dev.mainstay.repository.format.Json;

import java.util.Optional;
import java.util.random.RandomGenerator;

/// A key that never leaves where it is kept: of a cloud's key service, or of a token. It wraps and
/// unwraps root keys there, each bound to its [RootKeyPlace].
///
/// `toString` names the key for messages. Thread-safe.
public interface KeyService {
    /// What `recipient` says in objects: `aws-kms`, `pkcs11`.
    String kind();

    /// Which key, as `key` says in objects; no secret.
    String key();

    /// Wraps a root key.
    ///
    /// @param body gets `wrapped`, and what else unwrapping needs
    /// @throws dev.mainstay.base.MainstayException KEY_SERVICE if it cannot or will not
    void wrap(byte[] rootKey, RootKeyPlace place, Json body, RandomGenerator random);

    /// The root key; empty if another key wrapped it, or it was wrapped for another place.
    ///
    /// @param body an object's whose `recipient` is [#kind]
    /// @throws dev.mainstay.base.MainstayException KEY_SERVICE if it cannot be asked or refuses
    Optional<byte[]> unwrap(Json body, RootKeyPlace place);
}
