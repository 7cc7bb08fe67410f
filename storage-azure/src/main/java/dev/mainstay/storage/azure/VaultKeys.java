package dev.mainstay.storage.azure;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.azure.core.credential.TokenCredential;
import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.http.HttpClient;
import com.azure.core.util.ClientOptions;
import com.azure.security.keyvault.keys.cryptography.CryptographyClient;
import com.azure.security.keyvault.keys.cryptography.CryptographyClientBuilder;
import com.azure.security.keyvault.keys.cryptography.models.KeyWrapAlgorithm;
import com.azure.security.keyvault.keys.cryptography.models.WrapResult;

import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.BrokenConnection;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.function.Function;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// Azure Key Vault. Its keys are RSA keys, to which nothing can be bound: so the vault wraps a key
/// that is made for it (RSA-OAEP-256), and what is bound is the additional data of AES-256-GCM under
/// that. A vault unwraps only with the version that wrapped, which is kept beside it
/// (docs/format.md). The SDK tries again what it knows to be passing.
public final class VaultKeys implements KeyCipher {
    private static final KeyWrapAlgorithm WRAPPING = KeyWrapAlgorithm.RSA_OAEP_256;
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;

    private static final String AWAY =
            "see that this host reaches the vault, or open the repository with another recipient";
    private static final String IDENTITY =
            "let the environment (AZURE_CLIENT_ID and the like), a workload or managed identity of"
                    + " this host, or 'az login' give an identity";

    private final SecureRandom random = new SecureRandom();
    private final BiFunction<RemoteKey.Azure, HttpClient, TokenCredential> login;

    public VaultKeys() {
        this((key, http) -> AzureConnection.identity(key.login(), http, System.getenv()));
    }

    VaultKeys(BiFunction<RemoteKey.Azure, HttpClient, TokenCredential> login) {
        this.login = login;
    }

    @Override
    public String kind() {
        return "azure-key-vault";
    }

    /// @param id of the key, with its version, as the vault said it
    private record Sealed(String id, byte[] wrapped, byte[] nonce, byte[] content) {
        /// @throws BufferUnderflowException if it ends too early
        static Sealed read(byte[] bytes) {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            String id = new String(part(in, in.getShort()), US_ASCII);
            byte[] wrapped = part(in, in.getShort());
            byte[] nonce = part(in, NONCE_BYTES);
            return new Sealed(id, wrapped, nonce, part(in, in.remaining()));
        }

        private static byte[] part(ByteBuffer in, int length) {
            if (length < 0) {
                throw new BufferUnderflowException();
            }
            byte[] part = new byte[length];
            in.get(part);
            return part;
        }

        byte[] bytes() {
            byte[] id = this.id.getBytes(US_ASCII);
            int length = id.length + wrapped.length + nonce.length + content.length;
            return ByteBuffer.allocate(2 * Short.BYTES + length)
                    .putShort((short) id.length)
                    .put(id)
                    .putShort((short) wrapped.length)
                    .put(wrapped)
                    .put(nonce)
                    .put(content)
                    .array();
        }

        String version() {
            return VaultKeys.name(id);
        }

        String name() {
            return VaultKeys.name(id.substring(0, Math.max(0, id.lastIndexOf('/'))));
        }
    }

    @Override
    public byte[] encrypt(RemoteKey key, byte[] plain, String bound) {
        byte[] own = new byte[KEY_BYTES];
        random.nextBytes(own);
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        RemoteKey.Azure azure = own(key);
        WrapResult wrapped = ask(azure, azure.key(), client -> client.wrapKey(WRAPPING, own));
        try {
            return new Sealed(
                            wrapped.getKeyId(),
                            wrapped.getEncryptedKey(),
                            nonce,
                            crypt(Cipher.ENCRYPT_MODE, own, nonce, bound, plain))
                    .bytes();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    public Optional<byte[]> decrypt(RemoteKey key, byte[] sealed, String bound) {
        RemoteKey.Azure azure = own(key);
        try {
            Sealed parts = Sealed.read(sealed);
            Optional<byte[]> own =
                    ask(
                            azure,
                            azure.key() + "/" + parts.version(),
                            client -> unwrapped(client, azure, parts));
            return own.isEmpty()
                    ? own
                    : Optional.of(
                            crypt(
                                    Cipher.DECRYPT_MODE,
                                    own.get(),
                                    parts.nonce,
                                    bound,
                                    parts.content));
        } catch (BufferUnderflowException | GeneralSecurityException changed) {
            return Optional.empty();
        }
    }

    /// Empty if another key wrapped it: a vault that has such a version cannot, others know none.
    private static Optional<byte[]> unwrapped(
            CryptographyClient client, RemoteKey.Azure key, Sealed parts) {
        try {
            return Optional.of(client.unwrapKey(WRAPPING, parts.wrapped).getKey());
        } catch (HttpResponseException answer) {
            if (status(answer) == 400 || status(answer) == 404 && !parts.name().equals(name(key.key()))) {
                return Optional.empty();
            }
            throw answer;
        }
    }

    private static String name(String id) {
        return id.substring(id.lastIndexOf('/') + 1);
    }

    private static byte[] crypt(int mode, byte[] key, byte[] nonce, String bound, byte[] input)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(bound.getBytes(UTF_8));
        return cipher.doFinal(input);
    }

    private static RemoteKey.Azure own(RemoteKey key) {
        return switch (key) {
            case RemoteKey.Azure azure -> azure;
            default -> throw new IllegalArgumentException(key.key());
        };
    }

    private <T> T ask(RemoteKey.Azure key, String id, Function<CryptographyClient, T> question) {
        try {
            HttpClient http = AzureConnection.http(key.route());
            return question.apply(
                    new CryptographyClientBuilder()
                            .keyIdentifier(id)
                            .httpClient(http)
                            .credential(login.apply(key, http))
                            .clientOptions(new ClientOptions().setApplicationId("mainstay"))
                            .disableKeyCaching() // the public half would need a right of its own
                            .buildClient());
        } catch (MainstayException told) {
            throw told;
        } catch (RuntimeException failure) {
            throw translate(key, failure);
        }
    }

    /// Throws what is no failure of a request as it is.
    private static MainstayException translate(RemoteKey.Azure key, RuntimeException failure) {
        if (failure instanceof HttpResponseException answer && answer.getResponse() != null) {
            return KeyCipher.failed(key, words(answer), hint(status(answer)), answer);
        }
        if (BrokenConnection.cause(failure, InterruptedException.class).isPresent()) {
            Thread.currentThread().interrupt();
            return KeyCipher.failed(key, "interrupted", AWAY, failure);
        }
        if (BrokenConnection.cause(failure, ClientAuthenticationException.class).isPresent()) {
            return KeyCipher.failed(key, "no identity to ask with: " + brief(failure), IDENTITY, failure);
        }
        for (Class<? extends Exception> away : List.of(IOException.class, TimeoutException.class)) {
            Optional<? extends Exception> cause = BrokenConnection.cause(failure, away);
            if (cause.isPresent()) {
                return KeyCipher.failed(key, String.valueOf(cause.get()), AWAY, failure);
            }
        }
        throw failure;
    }

    private static int status(HttpResponseException answer) {
        return answer.getResponse() == null ? 0 : answer.getResponse().getStatusCode();
    }

    /// The vault's own, if it said any.
    private static String words(HttpResponseException answer) {
        return answer.getValue() instanceof Map<?, ?> body
                        && body.get("error") instanceof Map<?, ?> error
                        && error.get("message") != null
                ? "the vault answered " + status(answer) + " (" + error.get("message") + ")"
                : brief(answer);
    }

    private static String brief(RuntimeException failure) {
        return String.valueOf(failure.getMessage()).strip().lines().findFirst().orElse("");
    }

    private static String hint(int status) {
        return switch (status) {
            case 401 ->
                    "correct the identity: what the environment (AZURE_CLIENT_ID and the like)"
                            + " says, or the tenant of the vault";
            case 403 ->
                    "allow this identity to wrap and unwrap with the key (role Key Vault Crypto"
                            + " Service Encryption User, or an access policy), let this host through"
                            + " the vault's firewall, and enable the key";
            case 404 ->
                    "correct the key's name, or recover what was deleted (az keyvault key recover):"
                            + " until then this way into the repository is shut";
            case 400 -> "use an RSA key that may wrap and unwrap";
            default -> AWAY;
        };
    }
}
