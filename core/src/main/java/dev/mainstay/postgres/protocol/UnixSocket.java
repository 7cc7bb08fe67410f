package dev.mainstay.postgres.protocol;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// As much of a `Socket` over a Unix-domain socket as pgjdbc uses. The address given to connect is
/// ignored: the file is the address. TCP's options are accepted and mean nothing.
final class UnixSocket extends Socket {
    private static final Duration FOREVER = Duration.ofDays(3650);

    private final Path socketFile;
    private volatile @Nullable PlainTransport transport;
    private volatile int timeoutMillis;
    private volatile boolean closed;

    UnixSocket(Path socketFile) {
        this.socketFile = socketFile;
    }

    @Override
    public void connect(@Nullable SocketAddress ignored) throws IOException {
        connect(ignored, 0);
    }

    @Override
    public void connect(@Nullable SocketAddress ignored, int timeout) throws IOException {
        Duration wait = timeout == 0 ? FOREVER : Duration.ofMillis(timeout);
        transport =
                PlainTransport.connect(
                        UnixDomainSocketAddress.of(socketFile),
                        Optional.empty(),
                        Deadline.after(wait));
    }

    private PlainTransport transport() throws SocketException {
        PlainTransport connected = transport;
        if (connected == null || closed) {
            throw new SocketException("the socket is not open");
        }
        return connected;
    }

    @Override
    public InputStream getInputStream() throws IOException {
        return new Input(transport());
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
        return new Output(transport());
    }

    private final class Input extends InputStream {
        private final PlainTransport from;

        Input(PlainTransport from) {
            this.from = from;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            int millis = timeoutMillis;
            Duration wait = millis == 0 ? FOREVER : Duration.ofMillis(millis);
            int count = from.read(ByteBuffer.wrap(bytes, offset, length), Deadline.after(wait));
            if (count == 0) {
                throw new SocketTimeoutException("read timed out");
            }
            return count;
        }

        @Override
        public void close() throws IOException {
            UnixSocket.this.close();
        }
    }

    private final class Output extends OutputStream {
        private final PlainTransport to;

        Output(PlainTransport to) {
            this.to = to;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            to.write(ByteBuffer.wrap(bytes, offset, length), Deadline.after(FOREVER));
        }

        @Override
        public void close() throws IOException {
            UnixSocket.this.close();
        }
    }

    @Override
    public synchronized void close() throws IOException {
        closed = true;
        PlainTransport connected = transport;
        if (connected != null) {
            connected.close();
        }
        super.close();
    }

    @Override
    public boolean isConnected() {
        return transport != null;
    }

    @Override
    public boolean isClosed() {
        return closed;
    }

    @Override
    public void setSoTimeout(int timeout) {
        timeoutMillis = timeout;
    }

    @Override
    public int getSoTimeout() {
        return timeoutMillis;
    }

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public boolean getTcpNoDelay() {
        return true;
    }

    @Override
    public void setKeepAlive(boolean on) {}

    @Override
    public boolean getKeepAlive() {
        return false;
    }

    @Override
    public void setReceiveBufferSize(int size) {}

    @Override
    public int getReceiveBufferSize() {
        return 1 << 16;
    }

    @Override
    public void setSendBufferSize(int size) {}

    @Override
    public int getSendBufferSize() {
        return 1 << 16;
    }

    @Override
    public String toString() {
        return "unix:" + socketFile;
    }
}
