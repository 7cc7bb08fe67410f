package dev.mainstay.repository.crypto;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectSeal;

import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.random.RandomGenerator;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// A root key wrapped for one recipient: the body of a `keys/root/` object (docs/format.md section
/// 5). The key that wraps is Argon2id of a passphrase, or HKDF of a key file's secret.
public final class WrappedKey {
    /// RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes.
    private static final int MEMORY_KIB = 64 << 10;

    private static final int PASSES = 3;
    private static final int LANES = 4;

    /// A repository whose key objects demand more than this is refused rather than obeyed.
    private static final int MAX_MEMORY_KIB = 1 << 20;

    private WrappedKey() {}

    /// @param binding what the wrapped key belongs to; opening it elsewhere fails
    public static Json wrap(
            byte[] rootKey, Credential credential, String binding, RandomGenerator random) {
        byte[] salt = new byte[32];
        random.nextBytes(salt);
        byte[] nonce = new byte[12];
        random.nextBytes(nonce);
        HexFormat hex = HexFormat.of();
        Json body =
                switch (credential) {
                    case Credential.Passphrase _ ->
                            Json.object()
                                    .put("recipient", "passphrase")
                                    .put("kdf", "argon2id")
                                    .put("memory-kib", MEMORY_KIB)
                                    .put("passes", PASSES)
                                    .put("lanes", LANES);
                    case Credential.KeyFile _ ->
                            Json.object().put("recipient", "key-file").put("kdf", "hkdf-sha256");
                };
        body.put("salt", hex.formatHex(salt)).put("nonce", hex.formatHex(nonce));
        byte[] wrapped =
                crypt(
                                Cipher.ENCRYPT_MODE,
                                wrappingKey(credential, body).orElseThrow(),
                                nonce,
                                binding,
                                rootKey)
                        .orElseThrow();
        return body.put("wrapped", hex.formatHex(wrapped));
    }

    /// The root key, or empty if this credential is not the recipient's.
    public static Optional<byte[]> unwrap(Json body, Credential credential, String binding) {
        byte[] nonce = hex(body, "nonce");
        return wrappingKey(credential, body)
                .flatMap(
                        key ->
                                crypt(
                                        Cipher.DECRYPT_MODE,
                                        key,
                                        nonce,
                                        binding,
                                        hex(body, "wrapped")));
    }

    private static byte[] hex(Json body, String field) {
        try {
            return HexFormat.of().parseHex(body.string(field));
        } catch (IllegalArgumentException notHex) {
            throw damaged("field '" + field + "' is malformed", notHex);
        }
    }

    private static MainstayException damaged(
            String why, @org.jspecify.annotations.Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.KEY_OBJECT_DAMAGED, "a wrapped root key is damaged: " + why, cause);
    }

    private static Optional<byte[]> wrappingKey(Credential credential, Json body) {
        byte[] salt = hex(body, "salt");
        String recipient = body.string("recipient");
        return switch (credential) {
            case Credential.Passphrase passphrase when recipient.equals("passphrase") ->
                    Optional.of(argon2(passphrase.utf8(), salt, body));
            case Credential.KeyFile file when recipient.equals("key-file") ->
                    Optional.of(ObjectSeal.hkdf(file.secret(), salt, "mainstay/1 key file", 32));
            case Credential.Passphrase _, Credential.KeyFile _ -> Optional.empty();
        };
    }

    private static byte[] argon2(byte[] passphrase, byte[] salt, Json body) {
        long memory = body.number("memory-kib");
        long passes = body.number("passes");
        long lanes = body.number("lanes");
        if (memory < 8 * lanes
                || memory > MAX_MEMORY_KIB
                || passes < 1
                || passes > 64
                || lanes < 1
                || lanes > 64) {
            throw damaged("impossible Argon2id parameters", null);
        }
        Argon2BytesGenerator generator = new Argon2BytesGenerator();
        generator.init(
                new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                        .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                        .withSalt(salt)
                        .withMemoryAsKB((int) memory)
                        .withIterations((int) passes)
                        .withParallelism((int) lanes)
                        .build());
        byte[] key = new byte[32];
        generator.generateBytes(passphrase, key);
        return key;
    }

    private static Optional<byte[]> crypt(
            int mode, byte[] key, byte[] nonce, String binding, byte[] input) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
            cipher.updateAAD(binding.getBytes(StandardCharsets.UTF_8));
            return Optional.of(cipher.doFinal(input));
        } catch (AEADBadTagException notTheRecipient) {
            return Optional.empty();
        } catch (GeneralSecurityException wrong) {
            throw damaged(String.valueOf(wrong.getMessage()), wrong);
        } finally {
            Arrays.fill(key, (byte) 0);
        }
    }

    /// Names a recipient's object: 16 hex digits that tell nothing about the secret.
    public static String recipientId(byte[] salt) {
        return HexFormat.of().formatHex(Bytes.sha256(salt, 0, salt.length), 0, 8);
    }
}
