package dev.mainstay.repository.crypto;

import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/// A key pair of Ed25519 (RFC 8032), made of 32 random bytes.
public final class SigningKey {
    private final Ed25519PrivateKeyParameters key;

    /// @param secret 32 bytes that nobody can guess
    public SigningKey(byte[] secret) {
        this.key = new Ed25519PrivateKeyParameters(secret);
    }

    /// The public half, 32 bytes.
    public byte[] publicKey() {
        return key.generatePublicKey().getEncoded();
    }

    /// 64 bytes.
    public byte[] sign(byte[] message) {
        byte[] signature = new byte[Ed25519.SIGNATURE_SIZE];
        key.sign(Ed25519.Algorithm.Ed25519, null, message, 0, message.length, signature, 0);
        return signature;
    }

    /// Whether the owner of a public key signed a message.
    public static boolean isSigned(byte[] publicKey, byte[] message, byte[] signature) {
        return publicKey.length == Ed25519.PUBLIC_KEY_SIZE
                && signature.length == Ed25519.SIGNATURE_SIZE
                && new Ed25519PublicKeyParameters(publicKey)
                        .verify(
                                Ed25519.Algorithm.Ed25519,
                                null,
                                message,
                                0,
                                message.length,
                                signature,
                                0);
    }
}
