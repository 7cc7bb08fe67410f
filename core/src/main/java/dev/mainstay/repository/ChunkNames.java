package dev.mainstay.repository;

import dev.mainstay.repository.format.ChunkId;

import java.security.GeneralSecurityException;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Names chunks by a source's key (docs/format.md section 8). Not thread-safe.
final class ChunkNames {
    private final Mac mac;

    ChunkNames(ProtectedSource source) {
        try {
            mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(source.hashKey("chunk", 32), "HmacSHA256"));
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    ChunkId of(byte[] bytes, int length) {
        mac.update(bytes, 0, length);
        return new ChunkId(mac.doFinal());
    }
}
