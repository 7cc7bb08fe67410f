package dev.mainstay.repository.crypto;

import dev.mainstay.repository.format.ObjectSeal;

import org.bouncycastle.crypto.agreement.X25519Agreement;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;

import java.util.Arrays;

/// Keys that wrap for somebody whose secret is not at hand: X25519 (RFC 7748), whose private key is
/// derived from the recipient's wrapping key (docs/format.md section 5).
final class Sealing {
    /// What a sealer makes.
    ///
    /// @param ephemeral the public key that the recipient needs
    /// @param key that wraps
    record Sealed(byte[] ephemeral, byte[] key) {}

    private Sealing() {}

    static byte[] publicKey(byte[] wrappingKey) {
        return privateKey(wrappingKey).generatePublicKey().getEncoded();
    }

    private static X25519PrivateKeyParameters privateKey(byte[] wrappingKey) {
        return new X25519PrivateKeyParameters(
                ObjectSeal.hkdf(wrappingKey, new byte[0], "mainstay/1 recipient x25519", 32));
    }

    /// @param fresh 32 random bytes, never used twice
    static Sealed seal(byte[] publicKey, byte[] fresh) {
        X25519PrivateKeyParameters mine = new X25519PrivateKeyParameters(fresh);
        byte[] ephemeral = mine.generatePublicKey().getEncoded();
        return new Sealed(ephemeral, key(mine, publicKey, ephemeral, publicKey));
    }

    static byte[] open(byte[] wrappingKey, byte[] ephemeral) {
        X25519PrivateKeyParameters mine = privateKey(wrappingKey);
        return key(mine, ephemeral, ephemeral, mine.generatePublicKey().getEncoded());
    }

    private static byte[] key(
            X25519PrivateKeyParameters mine, byte[] theirs, byte[] ephemeral, byte[] recipient) {
        byte[] shared = new byte[32];
        try {
            X25519Agreement agreement = new X25519Agreement();
            agreement.init(mine);
            agreement.calculateAgreement(new X25519PublicKeyParameters(theirs), shared, 0);
        } catch (IllegalArgumentException | IllegalStateException impossible) {
            throw WrappedKey.damaged("a public key is impossible", impossible);
        }
        byte[] salt = Arrays.copyOf(ephemeral, 64);
        System.arraycopy(recipient, 0, salt, 32, 32);
        return ObjectSeal.hkdf(shared, salt, "mainstay/1 root x25519", 32);
    }
}
