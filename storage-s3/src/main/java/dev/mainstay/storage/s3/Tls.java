package dev.mainstay.storage.s3;

import dev.mainstay.storage.remote.Authorities;

import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.HttpsSupport;
import org.apache.hc.client5.http.ssl.TlsSocketStrategy;
import org.apache.hc.core5.reactor.ssl.SSLBufferMode;

import java.nio.file.Path;
import java.util.Optional;

/// TLS as [Authorities] say, for the HTTP client of this module.
final class Tls {
    private Tls() {}

    static TlsSocketStrategy strategy(Optional<Path> caFile) {
        return new DefaultClientTlsStrategy(
                Authorities.context(caFile),
                Authorities.PROTOCOLS.toArray(String[]::new),
                null,
                SSLBufferMode.STATIC,
                HttpsSupport.getDefaultHostnameVerifier());
    }
}
