package dev.mainstay.storage.azure;

import static java.nio.charset.StandardCharsets.UTF_8;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.azure.core.credential.AccessToken;
import com.azure.core.credential.BasicAuthenticationCredential;
import com.azure.core.credential.TokenCredential;
import com.azure.core.credential.TokenRequestContext;
import com.azure.core.exception.ClientAuthenticationException;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.testkit.ServerIdentity;
import dev.mainstay.testkit.StubServer;
import dev.mainstay.testkit.TunnelProxy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.MGF1ParameterSpec;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

import javax.crypto.BadPaddingException;
import javax.crypto.Cipher;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;

/// What is asked of Azure Key Vault, and what its answers come to, on a stub after its API
/// reference, reached under the name that a vault has. Not proven against the service.
class VaultKeysTest {
    private static final String HOST = "one.vault.azure.net";
    private static final byte[] ROOT = new byte[32];
    private static final String TOKEN = "eyJ0eXAi-of-a-test";

    @TempDir Path folder = Path.of("");

    private final Map<String, KeyPair> keys = new HashMap<>();
    private final Map<String, Integer> versions = new HashMap<>();
    private final Deque<Integer> refusals = new ArrayDeque<>();
    private Supplier<AccessToken> identity = VaultKeysTest::known;
    private StubServer vault;
    private TunnelProxy proxy;
    private Route route = Route.DIRECT;

    @BeforeEach
    void begin() throws Exception {
        ServerIdentity server = ServerIdentity.make(folder, "dns:" + HOST);
        vault = StubServer.secure(server.context());
        proxy = new TunnelProxy("user", "word");
        route =
                new Route(
                        Optional.of(server.caFile()),
                        Optional.of(URI.create("http://user:word@127.0.0.1:" + proxy.port())));
        rotate("one");
        rotate("two");
        vault.answerAllWith(
                exchange -> {
                    StubServer.Request request = vault.requests().getLast();
                    answer(request).to(exchange);
                });
    }

    @AfterEach
    void end() throws IOException {
        proxy.close();
        vault.close();
    }

    private static AccessToken known() {
        return new AccessToken(TOKEN, OffsetDateTime.now(ZoneOffset.UTC).plusHours(1));
    }

    /// A new version of a key; those before stay.
    private void rotate(String name) throws GeneralSecurityException {
        int version = versions.merge(name, 1, Integer::sum);
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        keys.put(name + "/" + name + "-v" + version, generator.generateKeyPair());
    }

    private StubServer.Answer answer(StubServer.Request request) throws IOException {
        Integer refusal = refusals.poll();
        if (refusal != null) {
            return error(refusal, "so it is");
        }
        if (!request.header("Authorization").equals("Bearer " + TOKEN)) {
            return StubServer.told(
                    401,
                    Map.of(
                            "WWW-Authenticate",
                            "Bearer authorization=\"https://login.example.org/tenant\","
                                    + " resource=\"https://vault.azure.net\""),
                    "");
        }
        String[] path = request.line().split("/", -1); // POST , keys, NAME, [VERSION], wrapkey
        String name = path[2];
        String version = path.length == 5 ? path[3] : "";
        String id = name + "/" + (version.isEmpty() ? name + "-v" + versions.get(name) : version);
        KeyPair pair = keys.get(id);
        if (pair == null) {
            return error(404, "A key with (name/id) " + id + " was not found in this key vault.");
        }
        Json body = Json.parse("request", request.body());
        assertThat(body.string("alg")).isEqualTo("RSA-OAEP-256");
        byte[] value = Base64.getUrlDecoder().decode(body.string("value"));
        boolean wraps = path[path.length - 1].equals("wrapkey");
        try {
            byte[] result = crypt(pair, wraps, value);
            return StubServer.told(
                    200,
                    Map.of("Content-Type", "application/json"),
                    "{\"kid\":\"https://%s/keys/%s\",\"value\":\"%s\"}"
                            .formatted(
                                    HOST,
                                    id,
                                    Base64.getUrlEncoder().withoutPadding().encodeToString(result)));
        } catch (BadPaddingException another) {
            return error(400, "The parameter is incorrect.");
        } catch (GeneralSecurityException failed) {
            throw new IOException(failed);
        }
    }

    private static byte[] crypt(KeyPair pair, boolean wraps, byte[] value)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("RSA/ECB/OAEPPadding");
        cipher.init(
                wraps ? Cipher.ENCRYPT_MODE : Cipher.DECRYPT_MODE,
                wraps ? pair.getPublic() : pair.getPrivate(),
                new OAEPParameterSpec(
                        "SHA-256", "MGF1", MGF1ParameterSpec.SHA256, PSource.PSpecified.DEFAULT));
        return cipher.doFinal(value);
    }

    private static StubServer.Answer error(int status, String words) {
        return StubServer.told(
                status,
                Map.of("Content-Type", "application/json"),
                "{\"error\":{\"code\":\"Code\",\"message\":\"%s\"}}".formatted(words));
    }

    private RemoteKey.Azure key(String name) {
        return new RemoteKey.Azure(
                "https://" + HOST + ":" + vault.endpoint().getPort() + "/keys/" + name,
                new AzurePlace.Login.Chain(Optional.empty(), Optional.empty()),
                route);
    }

    private KeyCipher cipher() {
        TokenCredential asked =
                new BasicAuthenticationCredential("nobody", "nothing") {
                    @Override
                    public AccessToken getTokenSync(TokenRequestContext context) {
                        assertThat(context.getScopes())
                                .containsExactly("https://vault.azure.net/.default");
                        return identity.get();
                    }
                };
        return new VaultKeys((_, _) -> asked);
    }

    private List<String> asked() {
        return vault.requests().stream().map(StubServer.Request::line).distinct().toList();
    }

    @Test
    void whatItWrapsItUnwrapsInTheSamePlaceOnly() {
        byte[] sealed = cipher().encrypt(key("one"), ROOT, "epoch 1");
        assertThat(cipher().decrypt(key("one"), sealed, "epoch 1"))
                .hasValueSatisfying(plain -> assertThat(plain).isEqualTo(ROOT));
        assertThat(asked())
                .containsExactly("POST /keys/one//wrapkey", "POST /keys/one/one-v1/unwrapkey");
        assertThat(vault.requests())
                .allSatisfy(
                        request ->
                                assertThat(new String(request.body(), UTF_8))
                                        .doesNotContain(Base64.getUrlEncoder().encodeToString(ROOT)));
        assertThat(cipher().decrypt(key("two"), sealed, "epoch 1")).isEmpty();
        assertThat(cipher().decrypt(key("one"), sealed, "epoch 2")).isEmpty();
        for (int at : new int[] {0, 1, sealed.length / 2, sealed.length - 1}) {
            byte[] changed = sealed.clone();
            changed[at] ^= 0x40;
            assertThat(cipher().decrypt(key("one"), changed, "epoch 1")).as("%d", at).isEmpty();
        }
        assertThat(cipher().decrypt(key("one"), new byte[3], "epoch 1")).isEmpty();
    }

    @Test
    void aNewVersionWrapsAndTheOldOneStillUnwraps() throws Exception {
        byte[] before = cipher().encrypt(key("one"), ROOT, "epoch 1");
        rotate("one");
        byte[] after = cipher().encrypt(key("one"), ROOT, "epoch 2");
        assertThat(cipher().decrypt(key("one"), before, "epoch 1")).isPresent();
        assertThat(cipher().decrypt(key("one"), after, "epoch 2")).isPresent();
        assertThat(asked())
                .contains("POST /keys/one/one-v1/unwrapkey", "POST /keys/one/one-v2/unwrapkey");
        keys.remove("one/one-v1");
        assertThatThrownBy(() -> cipher().decrypt(key("one"), before, "epoch 1"))
                .hasMessageContaining("was not found")
                .extracting("hint")
                .asString()
                .contains("az keyvault key recover");
    }

    @Test
    void whatPassesIsTriedAgainAndWhatDoesNotIsTold() {
        refusals.addAll(List.of(503, 429));
        byte[] sealed = cipher().encrypt(key("one"), ROOT, "epoch 1");
        assertThat(refusals).isEmpty();
        for (Map.Entry<Integer, String> refusal :
                Map.of(403, "Crypto Service Encryption User", 401, "identity", 404, "recover")
                        .entrySet()) {
            refusals.addAll(Collections.nCopies(2, refusal.getKey()));
            assertThatThrownBy(() -> cipher().decrypt(key("one"), sealed, "epoch 1"))
                    .hasMessageContaining("keys/one of azure-key-vault cannot be used: ")
                    .hasMessageContaining("so it is")
                    .extracting("code", "hint")
                    .satisfies(
                            told -> {
                                assertThat(told.getFirst()).isEqualTo(ErrorCode.KEY_SERVICE);
                                assertThat(told.getLast().toString()).contains(refusal.getValue());
                            });
            refusals.clear();
        }
    }

    @Test
    void whoHasNoIdentityOrNoVaultIsTold() {
        identity =
                () -> {
                    throw new ClientAuthenticationException("no such client", null);
                };
        assertThatThrownBy(() -> cipher().encrypt(key("one"), ROOT, "epoch 1"))
                .hasMessageContaining("no identity to ask with: no such client")
                .extracting("hint")
                .asString()
                .contains("az login");
        identity = VaultKeysTest::known;
        route = new Route(route.caFile(), Optional.of(URI.create("http://user:word@127.0.0.1:1")));
        assertThatThrownBy(() -> cipher().encrypt(key("one"), ROOT, "epoch 1"))
                .extracting("code", "hint")
                .satisfies(
                        told -> {
                            assertThat(told.getFirst()).isEqualTo(ErrorCode.KEY_SERVICE);
                            assertThat(told.getLast().toString()).contains("reaches the vault");
                        });
    }

    @Test
    void theProgramFindsIt() {
        assertThat(KeyCipher.of(key("one"))).isInstanceOf(VaultKeys.class);
    }
}
