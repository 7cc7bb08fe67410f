package dev.mainstay.storage.gcs;

import static java.nio.charset.StandardCharsets.UTF_8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.CloudKey;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;
import dev.mainstay.storage.remote.Route;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.security.GeneralSecurityException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// What is asked of Google Cloud KMS, and what its answers come to, on a stub after its API
/// reference. Not proven against the service.
class GoogleKeysTest {
    private static final String RING = "projects/p/locations/global/keyRings/r/cryptoKeys/";
    private static final String ONE = RING + "one";
    private static final String TWO = RING + "two";
    private static final byte[] ROOT = new byte[32];

    private final List<String> asked = new ArrayList<>();
    private final Deque<Integer> refusals = new ArrayDeque<>();
    private HttpServer server;
    private boolean corrupting;

    @BeforeEach
    void begin() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/", this::answer);
        server.start();
    }

    @AfterEach
    void end() {
        server.stop(0);
    }

    private RemoteKey key(String name) {
        return new RemoteKey.Google(
                name,
                Optional.of(URI.create("http://127.0.0.1:" + server.getAddress().getPort())),
                new GcsPlace.Login.Nobody(),
                Route.DIRECT);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath().substring("/v1/".length());
            asked.add(path);
            Json body = Json.parse("request", exchange.getRequestBody().readAllBytes());
            Integer refusal = refusals.poll();
            int status = refusal == null ? 200 : refusal;
            Json answer = Json.object();
            if (status == 200) {
                try {
                    if (path.endsWith(":encrypt")) {
                        encrypt(path.replace(":encrypt", ""), body, answer);
                    } else {
                        decrypt(path.replace(":decrypt", ""), body, answer);
                    }
                } catch (AEADBadTagException another) {
                    status = 400;
                } catch (GeneralSecurityException failed) {
                    throw new IOException(failed);
                }
            }
            if (status != 200) {
                String words =
                        refusal == null
                                ? "Decryption failed: verify that 'name' refers to the correct"
                                        + " CryptoKey."
                                : "so it is";
                answer =
                        Json.object()
                                .put(
                                        "error",
                                        Json.object().put("code", status).put("message", words));
            }
            byte[] bytes = answer.toBytes();
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private void encrypt(String key, Json body, Json answer) throws GeneralSecurityException {
        byte[] plain = bytes(body, "plaintext");
        byte[] sealed = crypt(Cipher.ENCRYPT_MODE, key, body, plain);
        answer.put("name", key + "/cryptoKeyVersions/1")
                .put("ciphertext", Base64.getEncoder().encodeToString(sealed))
                .put("ciphertextCrc32c", crc(sealed))
                .put("verifiedPlaintextCrc32c", body.string("plaintextCrc32c").equals(crc(plain)))
                .put(
                        "verifiedAdditionalAuthenticatedDataCrc32c",
                        body.string("additionalAuthenticatedDataCrc32c")
                                .equals(crc(bytes(body, "additionalAuthenticatedData"))));
    }

    private void decrypt(String key, Json body, Json answer) throws GeneralSecurityException {
        byte[] plain = crypt(Cipher.DECRYPT_MODE, key, body, bytes(body, "ciphertext"));
        String crc = crc(plain);
        if (corrupting) {
            plain[0]++;
        }
        answer.put("plaintext", Base64.getEncoder().encodeToString(plain))
                .put("plaintextCrc32c", crc);
    }

    private static byte[] bytes(Json body, String field) {
        // either alphabet is taken by Google's servers
        return Base64.getDecoder().decode(body.string(field).replace('-', '+').replace('_', '/'));
    }

    private static String crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return Long.toString(crc.getValue());
    }

    private static byte[] crypt(int mode, String key, Json body, byte[] input)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        byte[] secret = Arrays.copyOf(new StringBuilder(key).reverse().toString().getBytes(UTF_8), 32);
        cipher.init(mode, new SecretKeySpec(secret, "AES"), new GCMParameterSpec(128, new byte[12]));
        cipher.updateAAD(bytes(body, "additionalAuthenticatedData"));
        return cipher.doFinal(input);
    }

    @Test
    void whatItWrapsItUnwrapsInTheSamePlaceOnly() {
        KeyCipher cipher = KeyCipher.of(key(ONE));
        byte[] sealed = cipher.encrypt(key(ONE), ROOT, "epoch 1");
        assertThat(cipher.decrypt(key(ONE), sealed, "epoch 1"))
                .hasValueSatisfying(plain -> assertThat(plain).isEqualTo(ROOT));
        assertThat(asked).containsExactly(ONE + ":encrypt", ONE + ":decrypt");
        assertThat(cipher.decrypt(key(TWO), sealed, "epoch 1")).isEmpty();
        assertThat(cipher.decrypt(key(ONE), sealed, "epoch 2")).isEmpty();
        sealed[3]++;
        assertThat(cipher.decrypt(key(ONE), sealed, "epoch 1")).isEmpty();
    }

    @Test
    void whatPassesIsTriedAgainAndWhatDoesNotIsTold() {
        KeyCipher cipher = KeyCipher.of(key(ONE));
        refusals.addAll(List.of(503, 429));
        byte[] sealed = cipher.encrypt(key(ONE), ROOT, "epoch 1");
        assertThat(asked).hasSize(3);
        for (Map.Entry<Integer, String> refusal :
                Map.of(403, "Encrypter/Decrypter", 404, "name", 400, "enable", 401, "clock")
                        .entrySet()) {
            refusals.add(refusal.getKey());
            assertThatThrownBy(() -> cipher.decrypt(key(ONE), sealed, "epoch 1"))
                    .hasMessageContaining("key " + ONE + " of gcp-kms cannot be used: so it is")
                    .extracting("code", "hint")
                    .satisfies(
                            told -> {
                                assertThat(told.getFirst()).isEqualTo(ErrorCode.KEY_SERVICE);
                                assertThat(told.getLast().toString()).contains(refusal.getValue());
                            });
        }
        corrupting = true;
        Thread.currentThread().interrupt(); // else it is tried for a while
        assertThatThrownBy(() -> cipher.decrypt(key(ONE), sealed, "epoch 1"))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_SERVICE);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void aRepositoryIsMadeAndOpenedWithIt() {
        ObjectStore store = MemoryStore.create();
        Optional<Credential> one = Optional.of(new Credential.Service(new CloudKey(key(ONE))));
        Optional<Credential> two = Optional.of(new Credential.Service(new CloudKey(key(TWO))));
        Repository.create(store, one, Ground.ofThisHost()).sourceOrAdd("orders");
        assertThat(Repository.open(store, one, Ground.ofThisHost()).source("orders")).isPresent();
        assertThatThrownBy(() -> Repository.open(store, two, Ground.ofThisHost()))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_WRONG);
    }
}
