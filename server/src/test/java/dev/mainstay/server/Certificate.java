package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

import org.springframework.boot.ssl.pem.PemContent;

/// A certificate of `localhost` that vouches for itself.
public final class Certificate {
    private Certificate() {}

    /// `c.pem` and its key, `k.pem`.
    public static void make(Path folder) throws IOException, InterruptedException {
        Process openssl =
                new ProcessBuilder(
                                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
                                        .concat(" -keyout k.pem -out c.pem -subj /CN=localhost")
                                        .split(" "))
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(openssl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(openssl.waitFor()).as(said).isZero();
    }

    /// By which a server of a test shows it.
    public static SSLContext context(Path folder) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        PemContent key = PemContent.of(Files.readString(folder.resolve("k.pem")));
        PemContent certificate = PemContent.of(Files.readString(folder.resolve("c.pem")));
        store.setKeyEntry(
                "server",
                key.getPrivateKey(),
                new char[0],
                certificate.getCertificates().toArray(X509Certificate[]::new));
        KeyManagerFactory keys =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }
}
