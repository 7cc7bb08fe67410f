package dev.mainstay.server.security;

import com.nimbusds.jose.jwk.source.JWKSource;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.OidcSettings;
import dev.mainstay.storage.remote.Authorities;

import org.jspecify.annotations.Nullable;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Path;
import java.security.GeneralSecurityException;

import javax.net.ssl.SSLSocketFactory;

/// The public keys of an issuer: found by discovery (OpenID Connect Discovery 1.0) when they are
/// first needed, kept for some minutes, and asked for again when a token names one that is not among
/// them, though not at everybody's whim.
final class IssuerKeys {
    private static final int TIMEOUT_MILLIS = 3000;
    private static final int MOST_BYTES = 1 << 20;

    private final OidcSettings settings;
    private final DefaultResourceRetriever retriever;
    private @Nullable JWKSource<SecurityContext> source;

    /// @throws MainstayException CONFIG_INVALID if the CA file cannot be used
    IssuerKeys(OidcSettings settings) {
        this.settings = settings;
        this.retriever =
                new DefaultResourceRetriever(
                        TIMEOUT_MILLIS,
                        TIMEOUT_MILLIS,
                        MOST_BYTES,
                        true,
                        settings.caFile().map(IssuerKeys::trusting).orElse(null));
    }

    /// @throws IOException if the issuer cannot be asked, or answers what it should not
    synchronized JWKSource<SecurityContext> source() throws IOException {
        if (source == null) {
            String keys = settings.jwkSetUri().isPresent() ? settings.jwkSetUri().get() : found();
            source = JWKSourceBuilder.create(url(keys), retriever).build();
        }
        return source;
    }

    private String found() throws IOException {
        String issuer = settings.issuer();
        String place =
                (issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer)
                        + "/.well-known/openid-configuration";
        try {
            JsonNode said =
                    JsonMapper.shared()
                            .readTree(retriever.retrieveResource(url(place)).getContent());
            if (!said.path("issuer").asString("").equals(issuer)) {
                throw new IOException(place + " is of another issuer");
            }
            return said.path("jwks_uri").asString("");
        } catch (JacksonException wrong) {
            throw new IOException(place + " answers no JSON", wrong);
        }
    }

    private static URL url(String text) throws IOException {
        try {
            return URI.create(text).toURL();
        } catch (IllegalArgumentException wrong) {
            throw new IOException("'" + text + "' is no URL", wrong);
        }
    }

    private static SSLSocketFactory trusting(Path file) {
        try {
            return Authorities.trusting(file).getSocketFactory();
        } catch (IOException | GeneralSecurityException wrong) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID,
                    "server.oidc.ca-file " + file + " cannot be used: " + wrong.getMessage(),
                    wrong);
        }
    }
}
