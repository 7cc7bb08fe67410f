package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.protocol.ClientIdentity;
import dev.mainstay.storage.remote.Authorities;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;

import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;

/// Whom a client of a server believes, and what it shows itself.
///
/// @param authorities PEM of who vouches for the server; empty: those of the JDK
/// @param certificate PEM of what it shows
/// @param key PEM of its key
record ServerTrust(Optional<Path> authorities, Optional<Path> certificate, Optional<Path> key) {
    /// @throws MainstayException USAGE_INVALID unless both are given, or none is
    ServerTrust {
        if (certificate.isPresent() != key.isPresent()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--client-cert and --client-key go together");
        }
    }

    /// Empty where the JDK's own way does.
    ///
    /// @throws MainstayException SERVER_AWAY naming the file that cannot be used
    Optional<SSLContext> context() {
        if (authorities.isEmpty() && certificate.isEmpty()) {
            return Optional.empty();
        }
        KeyManager[] keys = keys();
        try {
            return Optional.of(Authorities.showing(authorities, keys));
        } catch (IOException | GeneralSecurityException wrong) {
            throw new MainstayException(
                    ErrorCode.SERVER_AWAY,
                    "cannot use --server-ca "
                            + authorities.map(Path::toString).orElse("(none)")
                            + ": "
                            + wrong.getMessage(),
                    "it must hold certificates in PEM (-----BEGIN CERTIFICATE-----)",
                    wrong);
        }
    }

    private KeyManager[] keys() {
        if (certificate.isEmpty() || key.isEmpty()) {
            return new KeyManager[0];
        }
        try {
            return ClientIdentity.read(certificate.get(), key.get());
        } catch (IOException | GeneralSecurityException wrong) {
            throw new MainstayException(
                    ErrorCode.SERVER_AWAY,
                    "cannot use --client-cert and --client-key: " + wrong.getMessage(),
                    "the one holds certificates in PEM, your own first, the other its key in PKCS#8"
                            + " without a password, that nobody else may read",
                    wrong);
        }
    }
}
