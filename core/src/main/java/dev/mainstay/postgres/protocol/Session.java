package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// A logged-in connection to one host, and the messages that may come at any time.
final class Session implements AutoCloseable {
    final ServerHost host;
    final Transport transport;
    final Inbox inbox;
    final Outbox outbox;
    final ReplicationOptions options;
    private final Map<String, String> parameters = new ConcurrentHashMap<>();
    private volatile int processId;
    private volatile int cancelKey;
    private Optional<ServerError> lastWord = Optional.empty();

    Session(ServerHost host, Transport transport, ReplicationOptions options) {
        this.host = host;
        this.transport = transport;
        this.options = options;
        this.inbox = new Inbox(transport);
        this.outbox = new Outbox(transport, options.liveness());
    }

    Optional<String> parameter(String name) {
        return Optional.ofNullable(parameters.get(name));
    }

    int processId() {
        return processId;
    }

    byte[] cancelRequest() {
        return ByteBuffer.allocate(12).putInt(80877102).putInt(processId).putInt(cancelKey).array();
    }

    /// The next message that is an answer; remarks in between are kept aside. Waits for the
    /// server's sign of life, as long as the options say.
    byte await() throws IOException {
        return await(Deadline.after(Duration.ofDays(3650)));
    }

    byte await(Deadline last) throws IOException {
        while (true) {
            Deadline step = last.orAfter(options.liveness());
            if (!next(step)) {
                throw new SocketTimeoutException(
                        "no answer in " + options.liveness().toSeconds() + " s");
            }
            if (!tookAside()) {
                return inbox.type();
            }
        }
    }

    /// As [Inbox#next], but a server that hangs up after an error is quoted.
    boolean next(Deadline deadline) throws IOException {
        try {
            return inbox.next(deadline);
        } catch (EOFException hungUp) {
            if (lastWord.isPresent()) {
                throw Failures.of(lastWord.get(), host.toString());
            }
            throw hungUp;
        }
    }

    /// Whether the message at hand was a notice, a parameter or a key.
    boolean tookAside() {
        ByteBuffer body = inbox.body();
        switch (inbox.type()) {
            case 'N' -> options.notices().accept(ServerError.read(body));
            case 'S' -> {
                String name = ServerError.Fields.text(body);
                parameters.put(name, ServerError.Fields.text(body));
            }
            case 'K' -> {
                if (body.remaining() != 8) {
                    throw Failures.protocol("cancel key data of a wrong length");
                }
                processId = body.getInt();
                cancelKey = body.getInt();
            }
            case 'A' -> {
                // a notification; nobody listens here
            }
            default -> {
                return false;
            }
        }
        return true;
    }

    /// Reads the error at hand. After a fatal one the server hangs up; others are followed by
    /// ReadyForQuery, which is waited for so that the connection stays usable.
    ServerException failed() throws IOException {
        ServerError error = ServerError.read(inbox.body());
        lastWord = Optional.of(error);
        if (error.severity().equals("ERROR")) {
            boolean ready = false;
            while (!ready) {
                ready = await() == 'Z';
            }
            lastWord = Optional.empty();
        } else {
            close();
        }
        return Failures.of(error, host.toString());
    }

    MainstayException unexpected(String doing) {
        close();
        return new MainstayException(
                ErrorCode.SERVER_PROTOCOL,
                host
                        + " answered '"
                        + Integer.toHexString(inbox.type() & 0xFF)
                        + "' (message type, hex) to "
                        + doing);
    }

    @Override
    public void close() {
        outbox.terminate();
        transport.close();
    }
}
