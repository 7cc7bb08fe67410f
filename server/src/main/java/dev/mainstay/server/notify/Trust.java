package dev.mainstay.server.notify;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.Authorities;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Optional;

import javax.net.ssl.SSLContext;

/// Whose certificates are believed.
final class Trust {
    private Trust() {}

    /// @param caFile PEM; empty: those of the JDK
    /// @throws MainstayException CHANNEL_FAILED if it cannot be used
    static SSLContext context(Optional<Path> caFile) {
        try {
            return caFile.isEmpty()
                    ? SSLContext.getDefault()
                    : Authorities.trusting(caFile.get());
        } catch (IOException | GeneralSecurityException wrong) {
            throw new MainstayException(
                    ErrorCode.CHANNEL_FAILED,
                    "ca-file " + caFile.map(Path::toString).orElse("") + " cannot be used: " + wrong,
                    wrong);
        }
    }
}
