package dev.mainstay.postgres.protocol;

import com.ongres.scram.common.util.TlsServerEndpoint;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.concurrent.locks.ReentrantLock;

import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLEngineResult.Status;
import javax.net.ssl.SSLException;

/// TLS over a [PlainTransport]. An engine, not an `SSLSocket`, so that a deadline in the middle of
/// a record loses nothing.
final class TlsTransport implements Transport {
    private static final int NET_IN = 256 << 10;

    private final PlainTransport plain;
    private final SSLEngine engine;
    private final ReentrantLock writing = new ReentrantLock();
    private final ByteBuffer netIn = ByteBuffer.allocate(NET_IN).flip();
    private final ByteBuffer netOut;
    private ByteBuffer spare;

    private TlsTransport(PlainTransport plain, SSLEngine engine) {
        this.plain = plain;
        this.engine = engine;
        this.netOut = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        this.spare = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize()).flip();
    }

    /// Shakes hands; the certificate is checked here, as the engine's context and parameters say.
    static TlsTransport open(PlainTransport plain, SSLEngine engine, Deadline deadline)
            throws IOException {
        TlsTransport tls = new TlsTransport(plain, engine);
        engine.beginHandshake();
        tls.shakeHands(deadline);
        return tls;
    }

    private void shakeHands(Deadline deadline) throws IOException {
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_TASK -> runTasks();
                case NEED_WRAP -> wrap(ByteBuffer.allocate(0), deadline);
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    int count = unwrap(spare.clear(), deadline);
                    spare.flip();
                    if (count == 0 && deadline.passed()) {
                        throw new SocketTimeoutException("no end of the TLS handshake");
                    }
                    if (count < 0) {
                        throw new EOFException("the server hung up in the TLS handshake");
                    }
                    if (spare.hasRemaining()) {
                        throw new SSLException("data before the end of the handshake");
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    return;
                }
            }
        }
    }

    private void runTasks() {
        Runnable task = engine.getDelegatedTask();
        while (task != null) {
            task.run();
            task = engine.getDelegatedTask();
        }
    }

    /// One record, or more of the network. Returns plain bytes produced, which may be 0, or -1.
    private int unwrap(ByteBuffer into, Deadline deadline) throws IOException {
        SSLEngineResult result = engine.unwrap(netIn, into);
        if (result.getStatus() == Status.CLOSED) {
            return -1;
        }
        if (result.getStatus() == Status.BUFFER_UNDERFLOW) {
            netIn.compact();
            int count;
            try {
                count = plain.read(netIn, deadline);
            } finally {
                netIn.flip();
            }
            return Math.min(count, 0);
        }
        if (result.getStatus() == Status.BUFFER_OVERFLOW) {
            throw new SSLException("a TLS record is larger than its session allows");
        }
        return result.bytesProduced();
    }

    @Override
    public int read(ByteBuffer into, Deadline deadline) throws IOException {
        while (true) {
            if (spare.hasRemaining()) {
                return copySpare(into);
            }
            boolean direct = into.remaining() >= spare.capacity();
            int count = direct ? unwrap(into, deadline) : unwrapSpare(deadline);
            if (count < 0 || (count > 0 && direct)) {
                return count;
            }
            if (count == 0) {
                answerHandshake(deadline);
                if (deadline.passed() && !netIn.hasRemaining()) {
                    return 0;
                }
                if (deadline.passed() && plainWaits()) {
                    return 0;
                }
            }
        }
    }

    /// Whether half a record is all there is; a last look at the socket says so.
    private boolean plainWaits() throws IOException {
        netIn.compact();
        try {
            return plain.read(netIn, new Deadline(System.nanoTime())) == 0;
        } finally {
            netIn.flip();
        }
    }

    private int unwrapSpare(Deadline deadline) throws IOException {
        spare.clear();
        try {
            return unwrap(spare, deadline);
        } finally {
            spare.flip();
        }
    }

    private int copySpare(ByteBuffer into) {
        int count = Math.min(into.remaining(), spare.remaining());
        into.put(spare.slice(spare.position(), count));
        spare.position(spare.position() + count);
        return count;
    }

    /// A key update asks for an answer.
    private void answerHandshake(Deadline deadline) throws IOException {
        HandshakeStatus status = engine.getHandshakeStatus();
        if (status == HandshakeStatus.NEED_TASK) {
            runTasks();
            status = engine.getHandshakeStatus();
        }
        if (status == HandshakeStatus.NEED_WRAP) {
            wrap(ByteBuffer.allocate(0), deadline);
        }
    }

    private void wrap(ByteBuffer from, Deadline deadline) throws IOException {
        writing.lock();
        try {
            do {
                netOut.clear();
                SSLEngineResult result = engine.wrap(from, netOut);
                netOut.flip();
                plain.write(netOut, deadline);
                if (result.getStatus() == Status.CLOSED) {
                    throw new EOFException("the TLS session is closed");
                }
            } while (from.hasRemaining());
        } finally {
            writing.unlock();
        }
    }

    @Override
    public void write(ByteBuffer from, Deadline deadline) throws IOException {
        wrap(from, deadline);
    }

    @Override
    public byte[] channelBinding() {
        try {
            Certificate[] chain = engine.getSession().getPeerCertificates();
            return chain.length > 0 && chain[0] instanceof X509Certificate certificate
                    ? TlsServerEndpoint.getChannelBindingData(certificate)
                    : new byte[0];
        } catch (SSLException | CertificateEncodingException _) {
            return new byte[0];
        }
    }

    @Override
    public boolean encrypted() {
        return true;
    }

    @Override
    public void close() {
        if (writing.tryLock()) {
            try {
                engine.closeOutbound();
                netOut.clear();
                engine.wrap(ByteBuffer.allocate(0), netOut);
                netOut.flip();
                plain.write(netOut, new Deadline(System.nanoTime()));
            } catch (IOException _) {
                // a farewell, no more
            } finally {
                writing.unlock();
            }
        }
        plain.close();
    }
}
