package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;

import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

class MainstayServerTest {
    private static final String ANY_PORT = "listen: 127.0.0.1:0\n";

    @TempDir Path folder = Path.of("");

    private static void fails(ErrorCode code, ThrowingCallable start, String... parts) {
        assertThatThrownBy(start)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> {
                            assertThat(failed.code()).as(failed.toString()).isEqualTo(code);
                            assertThat(failed.getMessage()).contains(parts);
                        });
    }

    @Test
    void itLivesIsReadyAndKeepsItsStateToItself() throws IOException {
        Site site = Site.of(folder, ANY_PORT);
        try (MainstayServer server = site.start()) {
            assertThat(site.get(server, "health/liveness").body())
                    .isEqualTo("{\"status\":\"UP\"}");
            assertThat(site.get(server, "health/readiness").body())
                    .isEqualTo("{\"status\":\"UP\"}");
            assertThat(site.get(server, "nothing").statusCode()).isNotEqualTo(200);
            assertThat(Files.getPosixFilePermissions(folder.resolve("state")))
                    .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        }
        try (MainstayServer again = site.start()) {
            assertThat(site.get(again, "health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aFolderIsOneServersAlone() {
        Site site = Site.of(folder, ANY_PORT);
        try (MainstayServer _ = site.start()) {
            fails(ErrorCode.SERVER_STATE_IN_USE, site::start, folder.resolve("state").toString());
        }
    }

    @Test
    void aPortThatIsTakenIsNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Site site = Site.of(folder, "listen: 127.0.0.1:" + taken.getLocalPort() + "\n");
            fails(ErrorCode.SERVER_LISTEN, site::start, "127.0.0.1:" + taken.getLocalPort());
        }
        Site other = Site.of(folder, ANY_PORT); // what failed left the state to the next one
        try (MainstayServer server = other.start()) {
            assertThat(other.get(server, "health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aCertificateThatIsNoneIsRefused() throws Exception {
        String tls = ANY_PORT + "tls: { certificate: c.pem, key: k.pem }\n";
        fails(ErrorCode.SERVER_CERTIFICATE, Site.of(folder, tls)::start, "c.pem");
        Files.writeString(folder.resolve("c.pem"), "no certificate");
        Files.writeString(folder.resolve("k.pem"), "no key");
        fails(ErrorCode.SERVER_CERTIFICATE, Site.of(folder, tls)::start, "c.pem");
        certificate();
        Files.writeString(folder.resolve("k.pem"), "no key");
        fails(ErrorCode.SERVER_CERTIFICATE, Site.of(folder, tls)::start, "k.pem");
    }

    @Test
    void tlsIsOfVersion13AndNoOther() throws Exception {
        certificate();
        Site site = Site.of(folder, ANY_PORT + "tls: { certificate: c.pem, key: k.pem }\n");
        try (MainstayServer server = site.start()) {
            assertThat(server.url().getScheme()).isEqualTo("https");
            assertThat(handshake(server, "TLSv1.3")).isEqualTo("TLSv1.3");
            assertThatThrownBy(() -> handshake(server, "TLSv1.2"))
                    .isInstanceOf(SSLHandshakeException.class);
        }
    }

    @Test
    void theStateMayBeAPostgresql() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            Site site =
                    Site.of(
                            folder,
                            ANY_PORT
                                    + "state: { url: 'postgresql://mainstay@127.0.0.1:"
                                    + cluster.port()
                                    + "/state' }\n");
            try (MainstayServer server = site.start();
                    MainstayServer second = site.start()) {
                assertThat(site.get(server, "health/readiness").statusCode()).isEqualTo(200);
                assertThat(site.get(second, "health/readiness").statusCode()).isEqualTo(200);
                cluster.stop();
                assertThat(site.get(server, "health/readiness").statusCode()).isEqualTo(503);
                assertThat(site.get(server, "health/liveness").statusCode()).isEqualTo(200);
            }
            fails(ErrorCode.SERVER_STATE, site::start, "postgresql://mainstay@");
        }
    }

    private void certificate() throws Exception {
        Certificate.make(folder);
    }

    private String handshake(MainstayServer server, String version) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var pem = Files.newInputStream(folder.resolve("c.pem"))) {
            store.setCertificateEntry(
                    "server",
                    (X509Certificate)
                            CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        TrustManagerFactory trust =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        try (SSLSocket socket =
                (SSLSocket)
                        context.getSocketFactory()
                                .createSocket(server.url().getHost(), server.url().getPort())) {
            socket.setEnabledProtocols(List.of(version).toArray(String[]::new));
            socket.startHandshake();
            return socket.getSession().getProtocol();
        }
    }
}
