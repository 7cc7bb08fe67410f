package dev.mainstay.server;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ServerSettings;

import org.springframework.boot.ssl.pem.PemContent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Consumer;

/// What has to be there before TLS can be spoken.
final class Certificates {
    private Certificates() {}

    /// @throws MainstayException SERVER_CERTIFICATE, naming the file
    static void demand(ServerSettings settings) {
        settings.tls()
                .ifPresent(
                        tls -> {
                            demand(
                                    "certificate",
                                    tls.certificate(),
                                    pem -> pem.getCertificates().getFirst());
                            demand(
                                    "key",
                                    tls.key(),
                                    pem -> Objects.requireNonNull(pem.getPrivateKey(), "no key"));
                            tls.clients()
                                    .ifPresent(
                                            clients ->
                                                    demand(
                                                            "client-ca",
                                                            clients.authorities(),
                                                            pem ->
                                                                    pem.getCertificates()
                                                                            .getFirst()));
                        });
    }

    private static void demand(String what, Path file, Consumer<PemContent> look) {
        try {
            look.accept(PemContent.load(file));
        } catch (IOException | RuntimeException wrong) {
            throw new MainstayException(
                    ErrorCode.SERVER_CERTIFICATE,
                    "server.tls." + what + " " + file + " cannot be used: " + wrong.getMessage(),
                    wrong);
        }
    }
}
