package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// From a spec to a logged-in [Session]: hosts in order, their addresses in order, TLS as asked,
/// authentication. As in libpq a refused login ends the search, an unreachable host does not.
final class Login {
    private static final int PROTOCOL = 3 << 16;
    private static final int SSL_REQUEST = 80877103;

    private final ConnectionSpec spec;
    private final ReplicationOptions options;

    Login(ConnectionSpec spec, ReplicationOptions options) {
        this.spec = spec;
        this.options = options;
    }

    Session open() {
        List<MainstayException> failures = new ArrayList<>();
        for (ServerHost host : spec.hosts()) {
            try {
                Session session = open(host);
                if (spec.targetSession().accepts(inRecovery(session))) {
                    return session;
                }
                session.close();
                failures.add(
                        new MainstayException(
                                ErrorCode.SERVER_UNREACHABLE,
                                host + " is not a " + spec.targetSession().text()));
            } catch (MainstayException failure) {
                if (failure.code() != ErrorCode.SERVER_UNREACHABLE) {
                    throw failure;
                }
                failures.add(failure);
            }
        }
        throw allFailed(failures);
    }

    static MainstayException allFailed(List<MainstayException> failures) {
        MainstayException last = failures.getLast();
        if (failures.size() == 1) {
            return last;
        }
        List<String> texts = new ArrayList<>();
        failures.forEach(failure -> texts.add(String.valueOf(failure.getMessage())));
        MainstayException all =
                new MainstayException(last.code(), String.join("; ", texts), last.hint(), last);
        failures.subList(0, failures.size() - 1).forEach(all::addSuppressed);
        return all;
    }

    private static boolean inRecovery(Session session) {
        return session.parameter("in_hot_standby").orElse("off").equals("on");
    }

    private Session open(ServerHost host) {
        SslMode mode = host instanceof ServerHost.Unix ? SslMode.DISABLE : spec.sslMode();
        try {
            return logIn(host, mode.compareTo(SslMode.PREFER) >= 0);
        } catch (ServerException refused) {
            // pg_hba.conf may permit the other kind of line
            boolean other = mode == SslMode.ALLOW || mode == SslMode.PREFER;
            if (!other || !refused.sqlState().equals("28000")) {
                throw refused;
            }
            try {
                return logIn(host, mode == SslMode.ALLOW);
            } catch (MainstayException again) {
                refused.addSuppressed(again);
                throw refused;
            }
        }
    }

    private Session logIn(ServerHost host, boolean tls) {
        Deadline deadline = Deadline.after(spec.connectTimeout());
        Transport transport = null;
        boolean done = false;
        try {
            transport = connect(host, tls, deadline);
            Session session = new Session(host, transport, options);
            start(session, deadline);
            done = true;
            return session;
        } catch (IOException failure) {
            throw Failures.of(failure, host.toString());
        } finally {
            if (!done && transport != null) {
                transport.close();
            }
        }
    }

    /// Connects and secures, without logging in.
    Transport connect(ServerHost host, boolean tls, Deadline deadline) throws IOException {
        PlainTransport plain = dial(host, deadline);
        boolean done = false;
        try {
            Transport transport = tls ? secure(plain, host, deadline) : plain;
            done = true;
            return transport;
        } finally {
            if (!done) {
                plain.close();
            }
        }
    }

    private PlainTransport dial(ServerHost host, Deadline deadline) throws IOException {
        IOException failure = new UnknownHostException(host.toString());
        for (SocketAddress address : addresses(host, deadline)) {
            try {
                return PlainTransport.connect(address, spec.localAddress(), deadline);
            } catch (InterruptedIOException ended) {
                throw ended;
            } catch (IOException next) {
                failure = next;
            }
        }
        throw failure;
    }

    private static List<SocketAddress> addresses(ServerHost host, Deadline deadline)
            throws IOException {
        return switch (host) {
            case ServerHost.Unix unix -> List.of(UnixDomainSocketAddress.of(unix.socketFile()));
            case ServerHost.Tcp tcp -> {
                List<SocketAddress> found = new ArrayList<>();
                for (InetAddress address : resolve(tcp.name(), deadline)) {
                    found.add(new InetSocketAddress(address, tcp.port()));
                }
                yield found;
            }
        };
    }

    /// Name resolution knows neither deadlines nor interrupts, so somebody else waits for it.
    private static InetAddress[] resolve(String name, Deadline deadline) throws IOException {
        FutureTask<InetAddress[]> task = new FutureTask<>(() -> InetAddress.getAllByName(name));
        Thread.ofVirtual().start(task);
        try {
            return task.get(Math.max(0, deadline.remainingNanos()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException late) {
            SocketTimeoutException failure = new SocketTimeoutException("its name is not resolved");
            failure.initCause(late);
            throw failure;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        } catch (ExecutionException failed) {
            UnknownHostException unknown = new UnknownHostException(name);
            unknown.initCause(failed.getCause());
            throw unknown;
        }
    }

    private Transport secure(PlainTransport plain, ServerHost host, Deadline deadline)
            throws IOException {
        ByteBuffer request = ByteBuffer.allocate(8).putInt(8).putInt(SSL_REQUEST).flip();
        plain.write(request, deadline);
        // Room for more than the one byte: whatever a man in the middle puts behind it, to be taken
        // for encrypted data, is seen here.
        ByteBuffer answer = ByteBuffer.allocate(64);
        int count = plain.read(answer, deadline);
        if (count == 0) {
            throw new SocketTimeoutException("no answer to the TLS request");
        }
        if (count < 0) {
            throw new EOFException("the server hung up at the TLS request");
        }
        if (count == 1 && answer.get(0) == 'S') {
            return TlsTransport.open(
                    plain, TlsContexts.engine(spec, name(host), host.port()), deadline);
        }
        if (count == 1 && answer.get(0) == 'N') {
            if (spec.sslMode().demandsTls()) {
                throw new MainstayException(
                        ErrorCode.SERVER_TLS,
                        host + " offers no TLS and sslmode is " + spec.sslMode().text());
            }
            return plain;
        }
        throw Failures.protocol("neither yes nor no to the TLS request, from " + host);
    }

    private static String name(ServerHost host) {
        return switch (host) {
            case ServerHost.Tcp tcp -> tcp.name();
            case ServerHost.Unix _ -> "localhost";
        };
    }

    private void start(Session session, Deadline deadline) throws IOException {
        session.outbox.sendUntyped(startupPacket());
        Authentication authentication =
                new Authentication(spec, session.host, session.transport, session.outbox);
        boolean content = false;
        while (true) {
            byte type = session.await(deadline);
            if (type == 'E') {
                ServerError error = ServerError.read(session.inbox.body());
                throw Failures.ofLogin(error, session.host.toString());
            } else if (type == 'R' && !content) {
                content = authentication.answer(session.inbox.body());
            } else if (type == 'Z' && content) {
                session.inbox.loggedIn();
                return;
            } else {
                throw session.unexpected("the login");
            }
        }
    }

    private byte[] startupPacket() {
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.writeBytes(ByteBuffer.allocate(4).putInt(PROTOCOL).array());
        List<String> parameters =
                List.of(
                        "user",
                        spec.user(),
                        "replication",
                        "true",
                        "application_name",
                        spec.applicationName(),
                        "client_encoding",
                        "UTF8");
        parameters.forEach(text -> packet.writeBytes(Outbox.text(text)));
        packet.write(0);
        return packet.toByteArray();
    }
}
