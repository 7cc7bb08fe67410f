package dev.mainstay.postgres.protocol;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.exception.ScramException;
import com.ongres.scram.common.exception.ScramRuntimeException;
import com.ongres.scram.common.util.TlsServerEndpoint;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Answers the server's demands for authentication, one message after the other.
final class Authentication {
    /// A server that has not proved itself must not keep this process busy for minutes.
    private static final int MOST_ITERATIONS = 10_000_000;

    private static final Pattern ITERATIONS = Pattern.compile("(?:^|,)i=(\\d{1,18})(?:,|$)");

    private final ConnectionSpec spec;
    private final Transport transport;
    private final Outbox outbox;
    private final ServerHost host;
    private final PasswordFile.Answer password;
    private @Nullable ScramClient scram;
    private boolean proved = true;

    Authentication(ConnectionSpec spec, ServerHost host, Transport transport, Outbox outbox) {
        this.spec = spec;
        this.host = host;
        this.transport = transport;
        this.outbox = outbox;
        this.password = spec.password(host, "replication", spec.database());
    }

    /// Takes one authentication message. True when the server is content.
    boolean answer(ByteBuffer body) throws IOException {
        if (body.remaining() < 4) {
            throw Failures.protocol("a short authentication message");
        }
        int kind = body.getInt();
        switch (kind) {
            case 0 -> {
                if (!proved) {
                    throw refused("the server did not prove that it knows the password");
                }
                return true;
            }
            case 3 -> sendClearText();
            case 5 -> sendMd5(body);
            case 10 -> beginScram(body);
            case 11 -> continueScram(body);
            case 12 -> endScram(body);
            default ->
                    throw refused(
                            "the server asks for authentication method "
                                    + kind
                                    + "; trust, peer, cert, password, md5 and scram-sha-256 are"
                                    + " known");
        }
        return false;
    }

    private void sendClearText() throws IOException {
        boolean local = host instanceof ServerHost.Unix;
        if (!transport.encrypted() && !local && !spec.allowsClearText()) {
            throw new MainstayException(
                    ErrorCode.SERVER_LOGIN_REFUSED,
                    host + " asks for the password in clear text on a line without TLS",
                    "use scram-sha-256 in pg_hba.conf, or sslmode=require; require_auth=password"
                            + " in the url permits it",
                    null);
        }
        outbox.send('p', Outbox.text(password()));
    }

    private void sendMd5(ByteBuffer body) throws IOException {
        if (body.remaining() != 4) {
            throw Failures.protocol("an md5 salt of a wrong length");
        }
        byte[] salt = new byte[4];
        body.get(salt);
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            md5.update(password().getBytes(StandardCharsets.UTF_8));
            byte[] inner = md5.digest(spec.user().getBytes(StandardCharsets.UTF_8));
            md5.update(HexFormat.of().formatHex(inner).getBytes(StandardCharsets.US_ASCII));
            outbox.send('p', Outbox.text("md5" + HexFormat.of().formatHex(md5.digest(salt))));
        } catch (NoSuchAlgorithmException missing) {
            throw new MainstayException(
                    ErrorCode.SERVER_LOGIN_REFUSED, "this Java knows no md5", missing);
        }
    }

    private void beginScram(ByteBuffer body) throws IOException {
        if (scram != null) {
            throw Failures.protocol("a second SASL exchange");
        }
        List<String> mechanisms = new ArrayList<>();
        while (body.hasRemaining()) {
            String mechanism = ServerError.Fields.text(body);
            if (mechanism.isEmpty()) {
                break;
            }
            if (!mechanism.endsWith("-PLUS") || transport.channelBinding().length > 0) {
                mechanisms.add(mechanism);
            }
        }
        try {
            ScramClient.FinalBuildStage building =
                    ScramClient.builder()
                            .advertisedMechanisms(mechanisms)
                            .username("*")
                            .password(password().toCharArray());
            byte[] binding = transport.channelBinding();
            if (binding.length > 0) {
                building.channelBinding(TlsServerEndpoint.TLS_SERVER_END_POINT, binding);
            }
            ScramClient client = building.build();
            scram = client;
            proved = false;
            byte[] first = client.clientFirstMessage().toString().getBytes(StandardCharsets.UTF_8);
            byte[] name = Outbox.text(client.getScramMechanism().getName());
            outbox.send(
                    'p',
                    ByteBuffer.allocate(name.length + 4 + first.length)
                            .put(name)
                            .putInt(first.length)
                            .put(first)
                            .array());
        } catch (IllegalArgumentException | ScramRuntimeException unusable) {
            throw new MainstayException(
                    ErrorCode.SERVER_LOGIN_REFUSED,
                    "no SASL mechanism in common with " + host + ": " + unusable.getMessage(),
                    unusable);
        }
    }

    private void continueScram(ByteBuffer body) throws IOException {
        String text = StandardCharsets.UTF_8.decode(body).toString();
        Matcher matcher = ITERATIONS.matcher(text);
        if (matcher.find() && Long.parseLong(matcher.group(1)) > MOST_ITERATIONS) {
            throw refused("the server demands " + matcher.group(1) + " SCRAM iterations");
        }
        try {
            ScramClient client = client();
            client.serverFirstMessage(text);
            outbox.send(
                    'p', client.clientFinalMessage().toString().getBytes(StandardCharsets.UTF_8));
        } catch (ScramException | IllegalArgumentException | IllegalStateException wrong) {
            throw scramFailed(wrong);
        }
    }

    private void endScram(ByteBuffer body) {
        try {
            client().serverFinalMessage(StandardCharsets.UTF_8.decode(body).toString());
            proved = true;
        } catch (ScramException | IllegalArgumentException | IllegalStateException wrong) {
            throw scramFailed(wrong);
        }
    }

    private ScramClient client() {
        ScramClient client = scram;
        if (client == null) {
            throw Failures.protocol("SASL goes on before it began");
        }
        return client;
    }

    private MainstayException scramFailed(Exception why) {
        return new MainstayException(
                ErrorCode.SERVER_LOGIN_REFUSED,
                "SCRAM with " + host + " failed: " + why.getMessage(),
                why);
    }

    private MainstayException refused(String why) {
        return new MainstayException(ErrorCode.SERVER_LOGIN_REFUSED, host + ": " + why);
    }

    private String password() {
        return password.password()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.SERVER_LOGIN_REFUSED,
                                        host
                                                + " wants a password for '"
                                                + spec.user()
                                                + "' and there is none"
                                                + password.ignored()
                                                        .map(why -> " (" + why + ")")
                                                        .orElse(""),
                                        "set PGPASSWORD or add a line to ~/.pgpass",
                                        null));
    }
}
