package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.testkit.Await;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.ssl.pem.PemContent;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;

import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

/// Certificates that clients need beside their tokens.
class ClientCertificateTest {
    private static final String KEY = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

    @TempDir Path folder = Path.of("");

    @BeforeEach
    void certificates() throws Exception {
        Certificate.make(folder);
        authority("ca");
        authority("other");
        client("good", "ca", 2);
        client("late", "ca", -1);
        client("foreign", "other", 2);
    }

    private void openssl(String arguments) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(("openssl " + arguments).split(" "))
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    private void authority(String name) throws Exception {
        openssl(
                "req -x509 %1$s -days 2 -keyout %2$s.key -out %2$s.pem -subj /CN=%2$s"
                        .formatted(KEY, name));
    }

    private void client(String name, String authority, int days) throws Exception {
        openssl("req %1$s -keyout %2$s.key -out %2$s.csr -subj /CN=%2$s".formatted(KEY, name));
        openssl(
                "x509 -req -in %1$s.csr -CA %2$s.pem -CAkey %2$s.key -CAcreateserial -days %3$d -out %1$s.pem"
                        .formatted(name, authority, days));
    }

    private Site site(String more) {
        return Site.of(
                folder,
                "listen: 127.0.0.1:0\nschedules: off\n"
                        + "tls: { certificate: c.pem, key: k.pem, client-ca: ca.pem%s }\n"
                                .formatted(more));
    }

    /// @param certificate empty for none
    private HttpResponse<String> ask(
            MainstayServer server, String certificate, String path, String token) throws Exception {
        KeyStore trusted = store();
        trusted.setCertificateEntry("server", read("c.pem").getCertificates().getFirst());
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        KeyStore own = store();
        if (!certificate.isEmpty()) {
            own.setKeyEntry(
                    "client",
                    read(certificate + ".key").getPrivateKey(),
                    new char[0],
                    read(certificate + ".pem")
                            .getCertificates()
                            .toArray(X509Certificate[]::new));
        }
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(
                new KeyManager[] {new Insisting((X509ExtendedKeyManager) keys.getKeyManagers()[0])},
                trust.getTrustManagers(),
                null);
        URI uri = URI.create("https://localhost:" + server.url().getPort() + "/" + path);
        try (HttpClient client = HttpClient.newBuilder().sslContext(context).build()) {
            return client.send(
                    HttpRequest.newBuilder(uri)
                            .header("Authorization", "Bearer " + token)
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    /// Shows its certificate even where the server says that it believes others.
    private static final class Insisting extends X509ExtendedKeyManager {
        private final X509ExtendedKeyManager keys;

        private Insisting(X509ExtendedKeyManager keys) {
            this.keys = keys;
        }

        @Override
        public @Nullable String chooseClientAlias(
                String[] types, Principal[] issuers, Socket socket) {
            return keys.getPrivateKey("client") == null ? null : "client";
        }

        @Override
        public @Nullable String chooseEngineClientAlias(
                String[] types, Principal[] issuers, SSLEngine engine) {
            return keys.getPrivateKey("client") == null ? null : "client";
        }

        @Override
        public String @Nullable [] getClientAliases(String type, Principal[] issuers) {
            return new String[] {"client"};
        }

        @Override
        public String @Nullable [] getServerAliases(String type, Principal[] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseServerAlias(
                String type, Principal[] issuers, Socket socket) {
            return null;
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            return keys.getCertificateChain(alias);
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            return keys.getPrivateKey(alias);
        }
    }

    private static KeyStore store() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private PemContent read(String name) throws IOException {
        return PemContent.of(Files.readString(folder.resolve(name)));
    }

    private void noConnection(MainstayServer server, String certificate, String token) {
        assertThatThrownBy(() -> ask(server, certificate, "health/liveness", token))
                .as(certificate)
                .isInstanceOf(IOException.class);
    }

    @Test
    void withoutAGoodOneThereIsNoConnectionAndWithItATokenIsNeededStill() throws Exception {
        try (MainstayServer server = site("").start()) {
            String token = server.firstToken().orElseThrow().reveal();
            assertThat(ask(server, "good", "api/v1/jobs", token).statusCode()).isEqualTo(200);
            assertThat(ask(server, "good", "api/v1/jobs", "mst_x").statusCode()).isEqualTo(401);
            noConnection(server, "", token);
            noConnection(server, "late", token);
            noConnection(server, "foreign", token);
        }
    }

    @Test
    void withoutOneTheApiIsClosedAndHealthIsNot() throws Exception {
        try (MainstayServer server = site(", client-certificate: api").start()) {
            String token = server.firstToken().orElseThrow().reveal();
            assertThat(ask(server, "", "health/liveness", token).statusCode()).isEqualTo(200);
            assertThat(ask(server, "", "metrics", token).statusCode()).isEqualTo(200);
            for (String path : new String[] {"api/v1/jobs", "api/openapi.json", "backup/status"}) {
                HttpResponse<String> refused = ask(server, "", path, token);
                assertThat(refused.statusCode()).as(path).isEqualTo(403);
                assertThat(refused.body()).contains("MS-1236");
                assertThat(ask(server, "good", path, token).statusCode()).as(path).isEqualTo(200);
            }
            noConnection(server, "late", token);
            noConnection(server, "foreign", token);
            assertThat(ask(server, "good", "api/v1/audit", token).body()).contains("403 MS-1236");
        }
    }

    @Test
    void authoritiesThatChangeAreUsedWithoutARestart() throws Exception {
        try (MainstayServer server = site("").start()) {
            String token = server.firstToken().orElseThrow().reveal();
            noConnection(server, "foreign", token);
            Files.copy(
                    folder.resolve("other.pem"),
                    folder.resolve("ca.pem"),
                    StandardCopyOption.REPLACE_EXISTING);
            Await.until(
                    "the other authority to be believed",
                    () -> {
                        try {
                            return ask(server, "foreign", "api/v1/jobs", token).statusCode() == 200;
                        } catch (IOException notYet) {
                            return false;
                        }
                    });
            noConnection(server, "good", token);
        }
    }

    @Test
    void anAuthorityThatIsNoneIsRefused() throws Exception {
        Files.writeString(folder.resolve("ca.pem"), "no certificate");
        assertThatThrownBy(() -> site("").start())
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> assertThat(wrong.code()).isEqualTo(ErrorCode.SERVER_CERTIFICATE))
                .hasMessageContaining("ca.pem");
    }
}
