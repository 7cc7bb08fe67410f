package dev.mainstay.postgres.protocol;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Optional;

import javax.net.ssl.KeyManager;
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
        for (Certificate root : ClientIdentity.certificates(Path.of(rootFile))) {
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
        return ClientIdentity.read(Path.of(certificateFile.get()), Path.of(keyFile.get()));
    }

    private static KeyStore emptyStore() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
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
