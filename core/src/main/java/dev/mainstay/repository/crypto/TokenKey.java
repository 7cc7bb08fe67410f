package dev.mainstay.repository.crypto;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidParameterException;
import java.security.Key;
import java.security.KeyStore;
import java.security.Provider;
import java.security.ProviderException;
import java.security.Security;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/// An AES key in a PKCS#11 token, such as a hardware security module, which need not be able to
/// leave it: AES-GCM is done there.
public final class TokenKey implements KeyService {
    private static final String TRANSFORMATION = "AES/GCM/NoPadding";
    private static final int TAG_BITS = 128;
    private static final int NONCE_BYTES = 12;

    private final String label;
    private final String place;
    private final Provider provider;
    private final SecretKey key;

    private TokenKey(String label, String place, Provider provider, SecretKey key) {
        this.label = label;
        this.place = place;
        this.provider = provider;
        this.key = key;
    }

    /// @param library the vendor's PKCS#11 library
    /// @param slot number of the slot; the first one with a token if empty
    /// @param label of the key
    /// @throws MainstayException KEY_SERVICE
    public static TokenKey open(Path library, OptionalLong slot, char[] pin, String label) {
        String place = "PKCS#11 key '" + label + "' of " + library;
        if (!Files.isReadable(library)) {
            throw failed(place, "the library is not there, or cannot be read", null);
        }
        try {
            Provider provider = provider(library, slot);
            KeyStore store = KeyStore.getInstance("PKCS11", provider);
            store.load(null, pin);
            Key key = store.getKey(label, null);
            if (key instanceof SecretKey secret && secret.getAlgorithm().equals("AES")) {
                return new TokenKey(label, place, provider, secret);
            }
            throw failed(
                    place,
                    key == null ? "the token has no key of this label" : "it is no AES key",
                    null);
        } catch (GeneralSecurityException
                | IOException
                | ProviderException
                | InvalidParameterException refused) {
            throw failed(place, deepest(refused), refused);
        }
    }

    private static Provider provider(Path library, OptionalLong slot) {
        Provider base = Security.getProvider("SunPKCS11");
        if (base == null) {
            throw new ProviderException("this JDK has no module jdk.crypto.cryptoki");
        }
        // Each process and place has a provider of its own, so that places do not mix.
        String name = "mainstay-" + Integer.toHexString((library + " " + slot).hashCode());
        return base.configure(
                "--name = "
                        + name
                        + "\nlibrary = \""
                        + library.toString().replace("\\", "\\\\").replace("\"", "\\\"")
                        + "\"\n"
                        + (slot.isPresent() ? "slot = " + slot.getAsLong() : "slotListIndex = 0")
                        + "\n");
    }

    /// The innermost reason names what the token said, such as CKR_PIN_INCORRECT.
    private static String deepest(Throwable failed) {
        Throwable cause = failed;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }

    private static MainstayException failed(String place, String why, @Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.KEY_SERVICE, place + " cannot be used: " + why, cause);
    }

    @Override
    public String kind() {
        return "pkcs11";
    }

    @Override
    public String key() {
        return label;
    }

    @Override
    public void wrap(byte[] rootKey, RootKeyPlace at, Json body, RandomGenerator random) {
        byte[] nonce = new byte[NONCE_BYTES];
        synchronized (random) {
            random.nextBytes(nonce);
        }
        try {
            byte[] wrapped = crypt(Cipher.ENCRYPT_MODE, nonce, at, rootKey);
            body.put("nonce", HexFormat.of().formatHex(nonce))
                    .put("wrapped", HexFormat.of().formatHex(wrapped));
        } catch (GeneralSecurityException | ProviderException refused) {
            throw failed(place, deepest(refused), refused);
        }
    }

    @Override
    public Optional<byte[]> unwrap(Json body, RootKeyPlace at) {
        if (!body.find("key").equals(Optional.of(label))) {
            return Optional.empty();
        }
        byte[] nonce = WrappedKey.hex(body, "nonce");
        byte[] wrapped = WrappedKey.hex(body, "wrapped");
        try {
            return Optional.of(crypt(Cipher.DECRYPT_MODE, nonce, at, wrapped));
        } catch (AEADBadTagException another) {
            return Optional.empty();
        } catch (GeneralSecurityException | ProviderException refused) {
            String why = deepest(refused);
            if (NOT_ITS.contains(why)) {
                return Optional.empty();
            }
            throw failed(place, why, refused);
        }
    }

    /// What tokens say of a tag that is wrong.
    private static final java.util.Set<String> NOT_ITS =
            java.util.Set.of(
                    "CKR_ENCRYPTED_DATA_INVALID",
                    "CKR_AEAD_DECRYPT_FAILED",
                    "CKR_GENERAL_ERROR",
                    "Tag mismatch");

    private synchronized byte[] crypt(int mode, byte[] nonce, RootKeyPlace at, byte[] input)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(TRANSFORMATION, provider);
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(at.binding());
        byte[] output = cipher.doFinal(input);
        return Arrays.copyOf(output, output.length);
    }

    @Override
    public String toString() {
        return place;
    }
}
