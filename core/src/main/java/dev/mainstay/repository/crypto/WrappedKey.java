package dev.mainstay.repository.crypto;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ObjectSeal;

import org.jspecify.annotations.Nullable;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// A root key wrapped for one recipient: the body of a `keys/root/` object (docs/format.md section
/// 5). A recipient has the same salt, and so the same id, in every epoch.
public final class WrappedKey {
    /// What is of one epoch alone; everything else is the recipient's.
    private static final Set<String> OF_AN_EPOCH =
            Set.of("repository", "nonce", "wrapped", "ephemeral", "proof");

    private WrappedKey() {}

    /// A new recipient, for [#wrap].
    ///
    /// @param label for people; everybody who can list the store reads it
    public static Json recipient(
            CredentialKeys keys, Optional<String> label, Instant created, RandomGenerator random) {
        Json recipient = keys.newRecipient();
        recipient.put("salt", HexFormat.of().formatHex(bytes(random, 32)));
        recipient.put("created", created.toString());
        label.ifPresent(text -> recipient.put("label", text));
        keys.wrappingKey(recipient)
                .ifPresent(key -> recipient.put("public", hex(Sealing.publicKey(key))));
        return recipient;
    }

    /// What an object says of its recipient, without what is of its epoch alone.
    public static Json recipientOf(Json body) {
        Json recipient = Json.object();
        body.fields()
                .forEach(
                        (name, value) -> {
                            if (!OF_AN_EPOCH.contains(name)) {
                                put(recipient, name, value);
                            }
                        });
        return recipient;
    }

    private static void put(Json body, String name, Object value) {
        switch (value) {
            case String text -> body.put(name, text);
            case Long number -> body.put(name, number);
            default -> throw damaged("field '" + name + "' is neither text nor number", null);
        }
    }

    /// Wraps a root key for a recipient whose credential is at hand.
    public static Json wrap(
            Json recipient,
            CredentialKeys keys,
            byte[] rootKey,
            RootKeyPlace place,
            RandomGenerator random) {
        Json body = recipientOf(recipient).put("repository", place.repository());
        Optional<KeyService> service = keys.service(body);
        if (service.isPresent()) {
            service.get().wrap(rootKey, place, body, random);
        } else {
            encrypt(body, keys.wrappingKey(body).orElseThrow(), rootKey, place, random);
        }
        return body.put("proof", hex(proof(body, rootKey)));
    }

    /// Wraps a root key for a recipient whose credential is not at hand, as far as its objects tell
    /// how. Whoever asks for this must know that they are genuine ([#isProven]): else the root key
    /// goes to whoever could write to the store.
    ///
    /// @return empty if the credential is needed
    public static Optional<Json> wrapUnseen(
            Json recipient, byte[] rootKey, RootKeyPlace place, RandomGenerator random) {
        if (recipient.find("public").isEmpty()) {
            return Optional.empty();
        }
        Json body = recipientOf(recipient).put("repository", place.repository());
        Sealing.Sealed sealed = Sealing.seal(hex(recipient, "public"), bytes(random, 32));
        body.put("ephemeral", hex(sealed.ephemeral()));
        encrypt(body, sealed.key(), rootKey, place, random);
        return Optional.of(body.put("proof", hex(proof(body, rootKey))));
    }

    private static void encrypt(
            Json body, byte[] key, byte[] rootKey, RootKeyPlace place, RandomGenerator random) {
        byte[] nonce = bytes(random, 12);
        byte[] wrapped = crypt(Cipher.ENCRYPT_MODE, key, nonce, place, rootKey).orElseThrow();
        body.put("nonce", hex(nonce)).put("wrapped", hex(wrapped));
    }

    /// The root key, or empty if this credential is not the recipient's.
    ///
    /// @throws MainstayException KEY_OBJECT_DAMAGED, or KEY_SERVICE where one cannot be asked
    public static Optional<byte[]> unwrap(Json body, CredentialKeys keys, RootKeyPlace place) {
        Optional<KeyService> service = keys.service(body);
        if (service.isPresent()) {
            return service.get().unwrap(body, place);
        }
        return keys.wrappingKey(body)
                .map(key -> isSealed(body) ? Sealing.open(key, hex(body, "ephemeral")) : key)
                .flatMap(
                        key ->
                                crypt(
                                        Cipher.DECRYPT_MODE,
                                        key,
                                        hex(body, "nonce"),
                                        place,
                                        hex(body, "wrapped")));
    }

    /// Whether the root key was wrapped without the recipient's credential. Anybody could have done
    /// that, with any key, so the key counts only if its epoch says so (docs/format.md section 5).
    public static boolean isSealed(Json body) {
        return body.has("ephemeral");
    }

    /// Whether somebody who has this root key wrote the object as it is: its recipient, its label
    /// and its public key. Objects of older programs have no proof.
    public static boolean isProven(Json body, byte[] rootKey) {
        return body.find("proof").isPresent()
                && MessageDigest.isEqual(proof(body, rootKey), hex(body, "proof"));
    }

    private static byte[] proof(Json body, byte[] rootKey) {
        StringBuilder text = new StringBuilder();
        Map<String, Object> fields = new TreeMap<>(body.fields());
        fields.remove("proof");
        fields.forEach((name, value) -> text.append(line(name, value)));
        byte[] key = ObjectSeal.hkdf(rootKey, hex(body, "salt"), "mainstay/1 recipient", 32);
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.toString().getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    private static String line(String name, Object value) {
        String line = name + "=" + value;
        if (line.chars().anyMatch(letter -> letter < ' ')) {
            throw damaged("a field holds a control character", null);
        }
        return line + "\n";
    }

    static byte[] hex(Json body, String field) {
        try {
            return HexFormat.of().parseHex(body.string(field));
        } catch (IllegalArgumentException notHex) {
            throw damaged("field '" + field + "' is malformed", notHex);
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static byte[] bytes(RandomGenerator random, int length) {
        byte[] bytes = new byte[length];
        synchronized (random) {
            random.nextBytes(bytes);
        }
        return bytes;
    }

    static MainstayException damaged(String why, @Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.KEY_OBJECT_DAMAGED, "a wrapped root key is damaged: " + why, cause);
    }

    private static Optional<byte[]> crypt(
            int mode, byte[] key, byte[] nonce, RootKeyPlace place, byte[] input) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, nonce));
            cipher.updateAAD(place.binding());
            return Optional.of(cipher.doFinal(input));
        } catch (AEADBadTagException notTheRecipient) {
            return Optional.empty();
        } catch (GeneralSecurityException wrong) {
            throw damaged(String.valueOf(wrong.getMessage()), wrong);
        }
    }

    /// Names a recipient: 16 hex digits that tell nothing about the secret.
    ///
    /// @throws MainstayException KEY_OBJECT_DAMAGED
    public static String recipientId(Json body) {
        byte[] salt = hex(body, "salt");
        return HexFormat.of().formatHex(Bytes.sha256(salt, 0, salt.length), 0, 8);
    }

    /// @throws MainstayException KEY_OBJECT_DAMAGED unless everything in an object has its form
    public static void demandWellFormed(Json body) {
        recipientOf(body);
        for (String field : new String[] {"salt", "wrapped"}) {
            hex(body, field);
        }
        for (String field : new String[] {"nonce", "public", "ephemeral", "proof"}) {
            if (body.has(field)) {
                hex(body, field);
            }
        }
        if (body.has("public") && hex(body, "public").length != 32
                || body.has("ephemeral") && hex(body, "ephemeral").length != 32
                || body.has("proof") && Arrays.equals(hex(body, "proof"), new byte[0])) {
            throw damaged("a field has an impossible length", null);
        }
    }
}
