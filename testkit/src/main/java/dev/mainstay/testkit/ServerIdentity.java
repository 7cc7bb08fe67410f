package dev.mainstay.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;

import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/// A key and a certificate for 127.0.0.1 that nobody trusts but who is told to.
///
/// @param context for the server
/// @param caFile the certificate in PEM, for its clients
public record ServerIdentity(SSLContext context, Path caFile) {
    private static final String PASSWORD = "changeit";

    /// Made by the JDK's keytool.
    ///
    /// @param folder for its files
    public static ServerIdentity make(Path folder) throws IOException, GeneralSecurityException {
        return make(folder, "ip:127.0.0.1");
    }

    /// For another name.
    ///
    /// @param name `dns:NAME`, or `ip:ADDRESS`
    public static ServerIdentity make(Path folder, String name)
            throws IOException, GeneralSecurityException {
        Path store = folder.resolve("server.p12");
        Path pem = folder.resolve("ca.pem");
        keytool(
                "-genkeypair -alias s -keyalg EC -dname CN=server -ext san="
                        + name
                        + " -validity 2 -storetype PKCS12 -keystore "
                        + store);
        keytool("-exportcert -rfc -alias s -file " + pem + " -keystore " + store);
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream file = Files.newInputStream(store)) {
            keys.load(file, PASSWORD.toCharArray());
        }
        KeyManagerFactory managers =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return new ServerIdentity(context, pem);
    }

    private static void keytool(String arguments) throws IOException {
        String program = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process process =
                new ProcessBuilder(
                                (program + " " + arguments + " -storepass " + PASSWORD)
                                        .split(" ", -1))
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException("keytool failed: " + said);
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new IOException(stopped);
        }
    }
}
