package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.security.InvalidAlgorithmParameterException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;

import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The seal of one object: its header and, unless sealing is off, the AES key derived from the
/// scope's key and the header's salt (docs/format.md section 5). Immutable; [FrameCoder] does the
/// sealing.
public final class ObjectSeal {
    private final ObjectHeader header;
    private final byte[] headerBytes;
    private final Optional<SecretKey> key;

    private ObjectSeal(ObjectHeader header, Optional<SecretKey> key) {
        this.header = header;
        this.headerBytes = header.toBytes();
        this.key = key;
    }

    /// The seal of a new object.
    ///
    /// @param scopeKey 32 bytes, or empty to write without sealing
    /// @param salt 32 fresh random bytes
    public static ObjectSeal create(
            ObjectType type, KeyScope scope, Optional<byte[]> scopeKey, byte[] salt) {
        if (scopeKey.isEmpty()) {
            ObjectHeader open = new ObjectHeader(type, false, KeyScope.none(), salt, new byte[32]);
            byte[] commitment = Bytes.sha256(open.prefix(), 0, 64);
            return new ObjectSeal(
                    new ObjectHeader(type, false, KeyScope.none(), salt, commitment),
                    Optional.empty());
        }
        byte[] derived = derive(scopeKey.get(), salt, type);
        ObjectHeader header =
                new ObjectHeader(type, true, scope, salt, Arrays.copyOfRange(derived, 32, 64));
        return new ObjectSeal(header, Optional.of(new SecretKeySpec(derived, 0, 32, "AES")));
    }

    /// The seal of an existing object.
    ///
    /// @param name of the object, for errors
    /// @throws MainstayException KEY_WRONG if the key is not the one the object commits to
    public static ObjectSeal open(String name, ObjectHeader header, Optional<byte[]> scopeKey) {
        if (!header.sealed()) {
            return new ObjectSeal(header, Optional.empty());
        }
        byte[] derived =
                derive(
                        scopeKey.orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.KEY_MISSING,
                                                "object "
                                                        + name
                                                        + " is sealed with the "
                                                        + header.scope())),
                        header.salt(),
                        header.type());
        if (!MessageDigest.isEqual(Arrays.copyOfRange(derived, 32, 64), header.commitment())) {
            throw new MainstayException(
                    ErrorCode.KEY_WRONG,
                    "object " + name + " was sealed with another key, or its header was changed");
        }
        return new ObjectSeal(header, Optional.of(new SecretKeySpec(derived, 0, 32, "AES")));
    }

    private static byte[] derive(byte[] scopeKey, byte[] salt, ObjectType type) {
        return hkdf(scopeKey, salt, "mainstay/1 object " + type.number(), 64);
    }

    /// HKDF-SHA256 (RFC 5869), the only key derivation besides Argon2id.
    public static byte[] hkdf(byte[] inputKey, byte[] salt, String info, int length) {
        try {
            return KDF.getInstance("HKDF-SHA256")
                    .deriveData(
                            HKDFParameterSpec.ofExtract()
                                    .addIKM(inputKey)
                                    .addSalt(salt)
                                    .thenExpand(
                                            info.getBytes(
                                                    java.nio.charset.StandardCharsets.US_ASCII),
                                            length));
        } catch (NoSuchAlgorithmException | InvalidAlgorithmParameterException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    public ObjectHeader header() {
        return header;
    }

    byte[] headerBytes() {
        return headerBytes;
    }

    Optional<SecretKey> key() {
        return key;
    }
}
