package dev.mainstay.storage.s3;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import dev.mainstay.repository.format.Json;

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
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// As much of AWS KMS as Encrypt and Decrypt with symmetric keys need, after its API reference.
/// That a client gets on with it proves nothing about the service.
final class KmsStub implements AutoCloseable {
    /// A request as it came.
    record Asked(String target, String authorization, Json body) {}

    private final HttpServer server;
    private final Map<String, byte[]> keys = new HashMap<>();
    private final Deque<String> refusals = new ArrayDeque<>();
    final List<Asked> asked = new ArrayList<>();

    KmsStub() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    void add(String key) {
        byte[] secret = new byte[32];
        Arrays.fill(secret, (byte) (keys.size() + 1));
        keys.put(key, secret);
    }

    /// The next request is answered so.
    void refuse(String error) {
        refusals.add(error);
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
            Json body =
                    Json.parse("request", exchange.getRequestBody().readAllBytes());
            asked.add(
                    new Asked(
                            target, exchange.getRequestHeaders().getFirst("Authorization"), body));
            String refusal = refusals.poll();
            String error = refusal != null ? refusal : "";
            Json answer = Json.object();
            if (error.isEmpty()) {
                try {
                    error = target.endsWith(".Encrypt") ? encrypt(body, answer) : decrypt(body, answer);
                } catch (GeneralSecurityException failed) {
                    throw new IOException(failed);
                }
            }
            if (!error.isEmpty()) {
                answer = Json.object().put("__type", error).put("message", "so it is: " + error);
            }
            byte[] bytes = answer.toBytes();
            exchange.getResponseHeaders().add("Content-Type", "application/x-amz-json-1.1");
            exchange.sendResponseHeaders(error.isEmpty() ? 200 : 400, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private String encrypt(Json body, Json answer) throws GeneralSecurityException {
        byte[] secret = keys.get(body.string("KeyId"));
        if (secret == null) {
            return "NotFoundException";
        }
        byte[] plain = Base64.getDecoder().decode(body.string("Plaintext"));
        byte[] key = (body.string("KeyId") + "\n").getBytes(UTF_8);
        byte[] sealed = crypt(Cipher.ENCRYPT_MODE, secret, body, plain);
        byte[] blob = Arrays.copyOf(key, key.length + sealed.length);
        System.arraycopy(sealed, 0, blob, key.length, sealed.length);
        answer.put("CiphertextBlob", Base64.getEncoder().encodeToString(blob));
        return "";
    }

    private String decrypt(Json body, Json answer) throws GeneralSecurityException {
        byte[] blob = Base64.getDecoder().decode(body.string("CiphertextBlob"));
        int end = 0;
        while (blob[end] != '\n') {
            end++;
        }
        byte[] secret = keys.get(body.string("KeyId"));
        if (secret == null || !new String(blob, 0, end, UTF_8).equals(body.string("KeyId"))) {
            return "IncorrectKeyException";
        }
        byte[] sealed = Arrays.copyOfRange(blob, end + 1, blob.length);
        try {
            byte[] plain = crypt(Cipher.DECRYPT_MODE, secret, body, sealed);
            answer.put("Plaintext", Base64.getEncoder().encodeToString(plain));
            return "";
        } catch (AEADBadTagException changed) {
            return "InvalidCiphertextException";
        }
    }

    private static byte[] crypt(int mode, byte[] secret, Json body, byte[] input)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(secret, "AES"), new GCMParameterSpec(128, new byte[12]));
        cipher.updateAAD(body.object("EncryptionContext").toString().getBytes(UTF_8));
        return cipher.doFinal(input);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
