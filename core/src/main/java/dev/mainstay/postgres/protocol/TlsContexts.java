package dev.mainstay.postgres.protocol;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/// Certificates and keys from PEM files, by libpq's rules: `require` with a root certificate
/// verifies like `verify-ca`; `sslrootcert=system` means the certificates Java trusts.
final class TlsContexts {
    private static final char[] NO_PASSWORD = new char[0];

    private TlsContexts() {}

    /// An engine for one connection.
    ///
    /// @param host checked against the certificate under `verify-full`
    static SSLEngine engine(ConnectionSpec spec, String host, int port) throws SSLException {
        SSLEngine engine =
                context(
                                spec.sslMode(),
                                spec.rootCertificate(),
                                spec.clientCertificate(),
                                spec.clientKey())
                        .createSSLEngine(host, port);
        engine.setUseClientMode(true);
        engine.setSSLParameters(harden(engine.getSSLParameters(), spec.sslMode()));
        return engine;
    }

    /// No version of TLS that is broken, and under `verify-full` the name checked in the handshake.
    static SSLParameters harden(SSLParameters parameters, SslMode mode) {
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        if (mode == SslMode.VERIFY_FULL) {
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        return parameters;
    }

    static SSLContext context(
            SslMode mode,
            Optional<String> rootFile,
            Optional<String> certificateFile,
            Optional<String> keyFile)
            throws SSLException {
        if (mode.verifies() && rootFile.isEmpty()) {
            throw new SSLException(
                    "sslmode "
                            + mode.text()
                            + " needs sslrootcert=FILE, or sslrootcert=system for public"
                            + " certificates");
        }
        try {
            boolean verify = mode.verifies() || (mode == SslMode.REQUIRE && rootFile.isPresent());
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    keyManagers(certificateFile, keyFile),
                    verify
                            ? trustManagers(rootFile.orElseThrow())
                            : new TrustManager[] {new TrustAll()},
                    null);
            return context;
        } catch (SSLException told) {
            throw told;
        } catch (GeneralSecurityException | IOException failure) {
            throw new SSLException(failure.toString(), failure);
        }
    }

    private static TrustManager[] trustManagers(String rootFile)
            throws GeneralSecurityException, IOException {
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        if (rootFile.equals("system")) {
            factory.init((KeyStore) null);
            return factory.getTrustManagers();
        }
        KeyStore store = emptyStore();
        int number = 0;
        for (Certificate root : certificates(Path.of(rootFile))) {
            store.setCertificateEntry("root" + number++, root);
        }
        factory.init(store);
        return factory.getTrustManagers();
    }

    private static KeyManager[] keyManagers(
            Optional<String> certificateFile, Optional<String> keyFile)
            throws GeneralSecurityException, IOException {
        if (certificateFile.isEmpty() && keyFile.isEmpty()) {
            return new KeyManager[0];
        }
        if (certificateFile.isEmpty() || keyFile.isEmpty()) {
            throw new SSLException("a client certificate needs both sslcert and sslkey");
        }
        KeyStore store = emptyStore();
        store.setKeyEntry(
                "client",
                privateKey(Path.of(keyFile.get())),
                NO_PASSWORD,
                certificates(Path.of(certificateFile.get())).toArray(Certificate[]::new));
        KeyManagerFactory factory =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, NO_PASSWORD);
        return factory.getKeyManagers();
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(Path file)
            throws GeneralSecurityException, IOException {
        Collection<? extends Certificate> found =
                CertificateFactory.getInstance("X.509")
                        .generateCertificates(new ByteArrayInputStream(read(file)));
        if (found.isEmpty()) {
            throw new SSLException("'" + file + "' holds no certificate");
        }
        return found;
    }

    private static byte[] read(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (IOException unreadable) {
            throw new SSLException("'" + file + "' cannot be read: " + unreadable, unreadable);
        }
    }

    private static PrivateKey privateKey(Path file) throws GeneralSecurityException, IOException {
        String pem = new String(read(file), StandardCharsets.US_ASCII);
        refuseOpenKey(file);
        String begin = "-----BEGIN PRIVATE KEY-----";
        int start = pem.indexOf(begin);
        int end = pem.indexOf("-----END PRIVATE KEY-----");
        if (start < 0 || end < start) {
            throw new SSLException(
                    "'"
                            + file
                            + "' is no plain PKCS#8 key in PEM; convert it with 'openssl pkcs8"
                            + " -topk8 -nocrypt'");
        }
        byte[] der;
        try {
            der = Base64.getMimeDecoder().decode(pem.substring(start + begin.length(), end));
        } catch (IllegalArgumentException damaged) {
            throw new SSLException("'" + file + "' is damaged", damaged);
        }
        for (String algorithm : List.of("RSA", "EC", "EdDSA", "RSASSA-PSS")) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (InvalidKeySpecException _) {
                // of another kind
            }
        }
        throw new SSLException("'" + file + "' holds a key of an unknown kind");
    }

    private static void refuseOpenKey(Path file) throws IOException {
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        if (view == null) {
            return;
        }
        Set<PosixFilePermission> permissions = view.readAttributes().permissions();
        boolean rootOwned = view.readAttributes().owner().getName().equals("root");
        for (PosixFilePermission permission : permissions) {
            boolean owner = permission.name().startsWith("OWNER_");
            boolean groupRead = permission == PosixFilePermission.GROUP_READ && rootOwned;
            if (!owner && !groupRead) {
                throw new SSLException(
                        "key file '" + file + "' can be read by others; it must be 0600");
            }
        }
    }

    /// For the modes that hide from listeners but verify nobody, as libpq does.
    private static final class TrustAll extends X509ExtendedTrustManager {
        @Override
        public void checkClientTrusted(
                X509Certificate[] chain, String type, java.net.Socket socket) {}

        @Override
        public void checkServerTrusted(
                X509Certificate[] chain, String type, java.net.Socket socket) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
