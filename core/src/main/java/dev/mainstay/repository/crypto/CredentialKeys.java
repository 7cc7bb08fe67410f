package dev.mainstay.repository.crypto;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectSeal;

import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/// A credential and the keys that were derived from it: each costs time once, however many epochs a
/// repository has, since a recipient keeps its salt. Thread-safe.
public final class CredentialKeys {
    /// RFC 9106, section 4, second recommended option: 64 MiB, three passes, four lanes.
    private static final int MEMORY_KIB = 64 << 10;

    private static final int PASSES = 3;
    private static final int LANES = 4;

    /// A repository whose key objects demand more than this is refused rather than obeyed.
    private static final int MAX_MEMORY_KIB = 1 << 20;

    private final Credential credential;
    private final Map<String, byte[]> derived = new HashMap<>();

    public CredentialKeys(Credential credential) {
        this.credential = credential;
    }

    public Credential credential() {
        return credential;
    }

    /// What a new recipient's objects say of how the key is derived.
    Json newRecipient() {
        return switch (credential) {
            case Credential.Passphrase _ ->
                    Json.object()
                            .put("recipient", "passphrase")
                            .put("kdf", "argon2id")
                            .put("memory-kib", MEMORY_KIB)
                            .put("passes", PASSES)
                            .put("lanes", LANES);
            case Credential.KeyFile _ -> hkdf("key-file");
            case Credential.RecoveryKey _ -> hkdf("recovery-key");
            case Credential.Service(KeyService service) ->
                    Json.object().put("recipient", service.kind()).put("key", service.key());
        };
    }

    private static Json hkdf(String recipient) {
        return Json.object().put("recipient", recipient).put("kdf", "hkdf-sha256");
    }

    /// The key that wraps for a recipient, if this credential is of its kind and the key can be
    /// had.
    Optional<byte[]> wrappingKey(Json body) {
        String recipient = body.string("recipient");
        return switch (credential) {
            case Credential.Passphrase(byte[] utf8) when recipient.equals("passphrase") ->
                    Optional.of(argon2(utf8, body));
            case Credential.KeyFile file when recipient.equals("key-file") ->
                    Optional.of(hkdf(file.secret(), body, "mainstay/1 key file"));
            case Credential.RecoveryKey key when recipient.equals("recovery-key") ->
                    Optional.of(hkdf(key.secret(), body, "mainstay/1 recovery key"));
            case Credential.Passphrase _,
                    Credential.KeyFile _,
                    Credential.RecoveryKey _,
                    Credential.Service _ ->
                    Optional.empty();
        };
    }

    /// The service that wraps for a recipient, if this credential is one of its kind.
    Optional<KeyService> service(Json body) {
        return credential instanceof Credential.Service(KeyService service)
                        && service.kind().equals(body.string("recipient"))
                ? Optional.of(service)
                : Optional.empty();
    }

    private static byte[] hkdf(byte[] secret, Json body, String info) {
        return ObjectSeal.hkdf(secret, WrappedKey.hex(body, "salt"), info, 32);
    }

    private synchronized byte[] argon2(byte[] passphrase, Json body) {
        long memory = body.number("memory-kib");
        long passes = body.number("passes");
        long lanes = body.number("lanes");
        if (memory < 8 * lanes
                || memory > MAX_MEMORY_KIB
                || passes < 1
                || passes > 64
                || lanes < 1
                || lanes > 64) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED,
                    "a wrapped root key is damaged: impossible Argon2id parameters");
        }
        byte[] salt = WrappedKey.hex(body, "salt");
        String name = HexFormat.of().formatHex(salt) + " " + memory + " " + passes + " " + lanes;
        return derived.computeIfAbsent(
                name,
                _ -> {
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
                });
    }
}
