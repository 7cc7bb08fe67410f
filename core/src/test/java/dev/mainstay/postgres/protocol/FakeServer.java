package dev.mainstay.postgres.protocol;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A server on loopback that follows a script, one connection after the other.
final class FakeServer implements AutoCloseable {
    interface Script {
        void run(Talk talk) throws IOException;
    }

    private final ServerSocket listener;
    private final List<Talk> talks = new ArrayList<>();
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    FakeServer(Script... scripts) {
        try {
            listener = new ServerSocket(0, 5, InetAddress.ofLiteral("127.0.0.1"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(() -> serve(scripts));
    }

    private void serve(Script[] scripts) {
        try {
            for (Script script : scripts) {
                Socket socket = listener.accept();
                socket.setTcpNoDelay(true);
                Talk talk = new Talk(socket);
                synchronized (talks) {
                    talks.add(talk);
                }
                script.run(talk);
                socket.close();
            }
            done.complete(null);
        } catch (IOException | RuntimeException | Error e) {
            done.completeExceptionally(e);
        }
    }

    int port() {
        return listener.getLocalPort();
    }

    ConnectionSpec spec(String query) {
        return ConnectionSpec.parse(
                "postgresql://bob:secret@127.0.0.1:" + port() + "/db" + query, Map.of());
    }

    /// Fails if the script did.
    void assertPlayed() {
        try {
            done.get(10, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("the script was not played to its end", e);
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            synchronized (talks) {
                for (Talk talk : talks) {
                    talk.socket.close();
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What the script says and hears.
    static final class Talk {
        final Socket socket;
        private final DataInputStream in;
        private final OutputStream out;

        Talk(Socket socket) throws IOException {
            this.socket = socket;
            this.in = new DataInputStream(socket.getInputStream());
            this.out = socket.getOutputStream();
        }

        byte[] startup() throws IOException {
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            return body;
        }

        /// The body of the next message, which must be of this type.
        byte[] expect(char type) throws IOException {
            int found = in.read();
            if (found != type) {
                throw new IOException("expected " + type + " and got " + (char) found);
            }
            byte[] body = new byte[in.readInt() - 4];
            in.readFully(body);
            return body;
        }

        String query() throws IOException {
            byte[] body = expect('Q');
            return new String(body, 0, body.length - 1, StandardCharsets.UTF_8);
        }

        void raw(byte[] bytes) throws IOException {
            out.write(bytes);
            out.flush();
        }

        /// Each byte in a packet of its own.
        void drip(byte[] bytes) throws IOException {
            for (byte one : bytes) {
                out.write(one);
                out.flush();
            }
        }

        void awaitHangUp() throws IOException {
            while (in.read() >= 0) {
                // whatever it says in parting
            }
        }

        void logIn() throws IOException {
            startup();
            raw(welcome());
        }
    }

    static byte[] message(char type, byte[]... parts) {
        int length = 4;
        for (byte[] part : parts) {
            length += part.length;
        }
        ByteBuffer message = ByteBuffer.allocate(1 + length).put((byte) type).putInt(length);
        for (byte[] part : parts) {
            message.put(part);
        }
        return message.array();
    }

    static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    static byte[] text(String text) {
        return Outbox.text(text);
    }

    static byte[] int4(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    static byte[] welcome() {
        return join(
                message('R', int4(0)),
                message('S', text("server_version"), text("18.0 (fake)")),
                message('S', text("in_hot_standby"), text("off")),
                message('K', int4(77), int4(88)),
                ready());
    }

    static byte[] ready() {
        return message('Z', new byte[] {'I'});
    }

    static byte[] complete() {
        return message('C', text("DONE"));
    }

    static byte[] error(String severity, String state, String words) {
        return message(
                'E',
                text("S" + severity),
                text("V" + severity),
                text("C" + state),
                text("M" + words),
                text("Hlook there"),
                new byte[1]);
    }

    static byte[] row(byte[]... values) {
        ByteBuffer count = ByteBuffer.allocate(2).putShort((short) values.length);
        List<byte[]> parts = new ArrayList<>(List.of(count.array()));
        for (byte[] value : values) {
            parts.add(int4(value.length));
            parts.add(value);
        }
        return join(
                message('T', new byte[2]), message('D', parts.toArray(byte[][]::new)), complete());
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static byte[] copyBoth() {
        return message('W', new byte[3]);
    }

    static byte[] wal(long start, byte[] data) {
        ByteBuffer head = ByteBuffer.allocate(25).put((byte) 'w').putLong(start);
        head.putLong(start + data.length).putLong(1_000_000L);
        return message('d', head.array(), data);
    }

    static byte[] keepAlive(long end, boolean reply) {
        ByteBuffer body = ByteBuffer.allocate(18).put((byte) 'k').putLong(end).putLong(0);
        return message('d', body.put((byte) (reply ? 1 : 0)).array());
    }
}
