package dev.mainstay.repository.crypto;

import java.nio.charset.StandardCharsets;

/// What a root key belongs to. A wrapped one opens nowhere else.
///
/// @param repository its id
/// @param epoch from 1
public record RootKeyPlace(String repository, int epoch) {
    /// `mainstay/1 root ID EPOCH`, the additional data of AES-GCM.
    public byte[] binding() {
        return ("mainstay/1 root " + repository + " " + epoch).getBytes(StandardCharsets.UTF_8);
    }
}
