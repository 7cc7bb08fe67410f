package dev.mainstay.server;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ServerSettings;

import org.springframework.boot.web.server.PortInUseException;
import org.springframework.boot.web.server.WebServerException;

import java.net.SocketException;
import java.security.GeneralSecurityException;

/// What a framework throws when it cannot start, in our words.
final class StartFailure {
    private StartFailure() {}

    static MainstayException of(RuntimeException failed, ServerSettings settings) {
        for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
            if (cause instanceof MainstayException known) {
                return known;
            }
            if (cause instanceof GeneralSecurityException && settings.tls().isPresent()) {
                return certificate(settings, failed, cause);
            }
            if (cause instanceof PortInUseException || cause instanceof SocketException) {
                return listen(settings, failed, cause);
            }
        }
        String text = String.valueOf(failed.getMessage());
        if (settings.tls().isPresent() && (text.contains("ssl") || text.contains("PEM"))) {
            return certificate(settings, failed, failed);
        }
        if (failed instanceof WebServerException) {
            return listen(settings, failed, failed);
        }
        return new MainstayException(
                ErrorCode.INTERNAL, "the server did not start: " + failed, failed);
    }

    private static MainstayException listen(
            ServerSettings settings, Throwable failed, Throwable why) {
        return new MainstayException(
                ErrorCode.SERVER_LISTEN,
                "cannot listen at "
                        + settings.host()
                        + ":"
                        + settings.port()
                        + ": "
                        + why.getMessage(),
                failed);
    }

    private static MainstayException certificate(
            ServerSettings settings, Throwable failed, Throwable why) {
        ServerSettings.Tls tls = settings.tls().orElseThrow();
        return new MainstayException(
                ErrorCode.SERVER_CERTIFICATE,
                "cannot use "
                        + tls.certificate()
                        + " with "
                        + tls.key()
                        + ": "
                        + why.getMessage(),
                failed);
    }
}
