package dev.mainstay.storage.remote;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateException;
import java.util.Optional;

import javax.net.ssl.SSLHandshakeException;

/// A connection to a store, or what came over it, broke: the same words for every kind of store.
public final class BrokenConnection {
    private static final int DEEPEST = 20;

    private BrokenConnection() {}

    /// @param what was being done, with the name of the object: `cannot put 'wal/1'`
    /// @param url of the store
    /// @param settings where a wrong name of the server comes from: `repository.endpoint`
    public static MainstayException told(
            String what, String url, IOException failure, String settings) {
        if (cause(failure, SSLHandshakeException.class).isPresent()
                || cause(failure, CertificateException.class).isPresent()
                || cause(failure, CertPathBuilderException.class).isPresent()) {
            return new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    what + " in " + url + ": no TLS with the server: " + failure.getMessage(),
                    "name the certificate of the authority that signed the server's in"
                            + " repository.ca-file; the server must speak TLS 1.2 or later",
                    failure);
        }
        Optional<UnknownHostException> unknown = cause(failure, UnknownHostException.class);
        if (unknown.isPresent()) {
            return new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE,
                    what
                            + " in "
                            + url
                            + ": the name of the server is unknown: "
                            + unknown.get().getMessage(),
                    "correct " + settings + ", or put this host's name service right",
                    failure);
        }
        return new MainstayException(
                ErrorCode.STORE_UNAVAILABLE,
                what
                        + " in "
                        + url
                        + ": "
                        + failure.getClass().getSimpleName()
                        + " "
                        + failure.getMessage(),
                failure);
    }

    /// The nearest cause of a type.
    public static <T extends Throwable> Optional<T> cause(Throwable failure, Class<T> type) {
        Throwable each = failure;
        for (int depth = 0; each != null && depth < DEEPEST; depth++) {
            if (type.isInstance(each)) {
                return Optional.of(type.cast(each));
            }
            each = each.getCause();
        }
        return Optional.empty();
    }
}
