package dev.mainstay.repository.crypto;

import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.random.RandomGenerator;

/// A key in a cloud's key service. Its log tells with each request to which repository and epoch
/// the root key belongs.
public final class CloudKey implements KeyService {
    private final RemoteKey key;
    private final KeyCipher cipher;

    public CloudKey(RemoteKey key) {
        this.key = key;
        this.cipher = KeyCipher.of(key);
    }

    @Override
    public String kind() {
        return key.kind();
    }

    @Override
    public String key() {
        return key.key();
    }

    private static String bound(RootKeyPlace place) {
        return new String(place.binding(), StandardCharsets.UTF_8);
    }

    @Override
    public void wrap(byte[] rootKey, RootKeyPlace place, Json body, RandomGenerator random) {
        byte[] wrapped = cipher.encrypt(key, rootKey, bound(place));
        body.put("wrapped", HexFormat.of().formatHex(wrapped));
    }

    /// The name of the key in the object does not decide: a key has several.
    @Override
    public Optional<byte[]> unwrap(Json body, RootKeyPlace place) {
        return cipher.decrypt(key, WrappedKey.hex(body, "wrapped"), bound(place));
    }

    @Override
    public String toString() {
        return "key " + key.key() + " of " + key.kind();
    }
}
