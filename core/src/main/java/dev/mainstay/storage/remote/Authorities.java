package dev.mainstay.storage.remote;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/// Whom TLS trusts, and which versions of it.
public final class Authorities {
    /// TLS 1.2 or later.
    public static final List<String> PROTOCOLS = List.of("TLSv1.3", "TLSv1.2");

    private Authorities() {}

    /// Trusts the authorities of a file, or the JDK's.
    ///
    /// @throws MainstayException STORE_REFUSED if the file cannot be used
    public static SSLContext context(Optional<Path> caFile) {
        try {
            if (caFile.isPresent()) {
                return trusting(caFile.get());
            }
            return context(null, new KeyManager[0]);
        } catch (IOException | GeneralSecurityException unusable) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "cannot use repository.ca-file "
                            + caFile.map(Path::toString).orElse("(none)")
                            + ": "
                            + unusable.getMessage(),
                    "it must hold certificates in PEM (-----BEGIN CERTIFICATE-----)",
                    unusable);
        }
    }

    /// Trusts the authorities of a file alone.
    ///
    /// @param caFile certificates in PEM, at least one
    public static SSLContext trusting(Path caFile) throws IOException, GeneralSecurityException {
        return context(trusted(caFile), new KeyManager[0]);
    }

    /// Shows a certificate to servers that ask for one.
    ///
    /// @param caFile whom it trusts; empty: whom the JDK does
    /// @param keys the certificate and its key; none: what the JDK would show
    public static SSLContext showing(Optional<Path> caFile, KeyManager[] keys)
            throws IOException, GeneralSecurityException {
        return context(caFile.isPresent() ? trusted(caFile.get()) : null, keys);
    }

    private static SSLContext context(TrustManager @Nullable [] trusted, KeyManager[] keys)
            throws GeneralSecurityException {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.length == 0 ? null : keys, trusted, null);
        return context;
    }

    private static TrustManager[] trusted(Path caFile)
            throws IOException, GeneralSecurityException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        try (InputStream file = Files.newInputStream(caFile)) {
            Collection<? extends Certificate> all =
                    CertificateFactory.getInstance("X.509").generateCertificates(file);
            for (Certificate each : all) {
                trusted.setCertificateEntry("ca-" + trusted.size(), each);
            }
        }
        if (trusted.size() == 0) {
            throw new IOException("it holds no certificate");
        }
        TrustManagerFactory factory =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        return factory.getTrustManagers();
    }
}
