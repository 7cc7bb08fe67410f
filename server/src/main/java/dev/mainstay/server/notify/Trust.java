package dev.mainstay.server.notify;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.springframework.boot.ssl.pem.PemContent;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Optional;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/// Whose certificates are believed.
final class Trust {
    private Trust() {}

    /// @param caFile PEM; empty: those of the JDK
    /// @throws MainstayException CHANNEL_FAILED if it cannot be used
    static SSLContext context(Optional<Path> caFile) {
        try {
            if (caFile.isEmpty()) {
                return SSLContext.getDefault();
            }
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int number = 0;
            for (X509Certificate each : PemContent.load(caFile.get()).getCertificates()) {
                store.setCertificateEntry("ca-" + number, each);
                number++;
            }
            TrustManagerFactory trust =
                    TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException | IllegalStateException wrong) {
            throw new MainstayException(
                    ErrorCode.CHANNEL_FAILED,
                    "ca-file " + caFile.map(Path::toString).orElse("") + " cannot be used: " + wrong,
                    wrong);
        }
    }
}
