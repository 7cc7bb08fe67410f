package dev.mainstay.server;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ServerSettings;
import dev.mainstay.engine.config.TracingSettings;

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
                                    "server.tls.certificate",
                                    tls.certificate(),
                                    pem -> pem.getCertificates().getFirst());
                            demand(
                                    "server.tls.key",
                                    tls.key(),
                                    pem -> Objects.requireNonNull(pem.getPrivateKey(), "no key"));
                            tls.clients()
                                    .ifPresent(
                                            clients ->
                                                    demand(
                                                            "server.tls.client-ca",
                                                            clients.authorities(),
                                                            pem ->
                                                                    pem.getCertificates()
                                                                            .getFirst()));
                        });
        settings.tracing()
                .flatMap(TracingSettings::caFile)
                .ifPresent(
                        file ->
                                demand(
                                        "server.tracing.ca-file",
                                        file,
                                        pem -> pem.getCertificates().getFirst()));
    }

    private static void demand(String what, Path file, Consumer<PemContent> look) {
        try {
            look.accept(PemContent.load(file));
        } catch (IOException | RuntimeException wrong) {
            throw new MainstayException(
                    ErrorCode.SERVER_CERTIFICATE,
                    what + " " + file + " cannot be used: " + wrong.getMessage(),
                    wrong);
        }
    }
}
