package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// `--server URL`: what a command does is done by a server, with its configuration.
final class ServerOption {
    static final String STOPPED = "stopped by a signal";
    private static final String TOKEN = "MAINSTAY_TOKEN";

    @Option(
            names = "--server",
            paramLabel = "URL",
            description =
                    "let this server do it, with its configuration; the token is in the variable"
                            + " MAINSTAY_TOKEN, or in --token-file")
    private Optional<String> url = Optional.empty();

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "with --server: holds the token")
    private Optional<Path> tokenFile = Optional.empty();

    @Option(
            names = "--server-ca",
            paramLabel = "FILE",
            description =
                    "with --server: PEM of who vouches for its certificate (default: who the JDK"
                            + " trusts)")
    private Optional<Path> authorities = Optional.empty();

    @Option(
            names = "--client-cert",
            paramLabel = "FILE",
            description =
                    "with --server: PEM of the certificate to show it, and of those that vouch for"
                            + " that, where it demands one (server.tls.client-ca)")
    private Optional<Path> certificate = Optional.empty();

    @Option(
            names = "--client-key",
            paramLabel = "FILE",
            description = "with --client-cert: PEM of its key (PKCS#8)")
    private Optional<Path> key = Optional.empty();

    /// Whether a server is to do it.
    ///
    /// @throws MainstayException USAGE_INVALID if only something beside it is given
    boolean isGiven() {
        if (url.isEmpty()
                && (tokenFile.isPresent()
                        || authorities.isPresent()
                        || certificate.isPresent()
                        || key.isPresent())) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "--token-file, --server-ca, --client-cert and --client-key are for --server"
                            + " URL");
        }
        return url.isPresent();
    }

    /// @throws MainstayException USAGE_INVALID if the option is given: a server has its own way
    ServerOption without(String option, boolean given) {
        if (given) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    option + " does not go with --server: the server does it its own way");
        }
        return this;
    }

    /// What is asked of a server.
    interface Asked<E extends Exception> {
        Document of(RemoteServer server) throws E, InterruptedException;
    }

    /// Asks the server, as long as nobody interrupts.
    ///
    /// @param stopped what is said of it if somebody does
    /// @throws MainstayException USAGE_INVALID, TOKEN_NEEDED, INTERRUPTED, SERVER_AWAY also if the
    ///   authorities cannot be used, and what the server refuses
    <E extends Exception> Document ask(Session session, String stopped, Asked<E> asked) throws E {
        try (RemoteServer server = open(session)) {
            return asked.of(server);
        } catch (InterruptedException signal) {
            throw new MainstayException(ErrorCode.INTERRUPTED, stopped, signal);
        }
    }

    private RemoteServer open(Session session) {
        return new RemoteServer(
                url.orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.USAGE_INVALID, "name the server: --server URL")),
                token(session),
                new ServerTrust(
                        resolved(session, authorities),
                        resolved(session, certificate),
                        resolved(session, key)),
                session);
    }

    private static Optional<Path> resolved(Session session, Optional<Path> file) {
        return file.map(session.terminal().workingDirectory()::resolve);
    }

    private String token(Session session) {
        String token =
                tokenFile
                        .map(file -> read(session.terminal().workingDirectory().resolve(file)))
                        .orElse(session.terminal().environment().getOrDefault(TOKEN, ""))
                        .strip();
        if (token.isEmpty() || !token.chars().allMatch(each -> each > ' ' && each < 127)) {
            throw new MainstayException(
                    ErrorCode.TOKEN_NEEDED,
                    token.isEmpty() ? "there is no token for the server" : "the token is none",
                    "put it into the variable "
                            + TOKEN
                            + ", or name its file: --token-file FILE; never among arguments, which"
                            + " everybody on this host can see",
                    null);
        }
        return token;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException wrong) {
            throw new MainstayException(
                    ErrorCode.TOKEN_NEEDED,
                    "cannot read --token-file " + file + ": " + wrong,
                    wrong);
        }
    }
}
