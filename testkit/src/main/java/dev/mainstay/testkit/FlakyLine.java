package dev.mainstay.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;

/// A line to a server on this host that breaks: of what the server sends on a connection, so many
/// bytes come through, and then both sides are closed. So answers are lost after what was asked for
/// has happened, and others end in their middle.
public final class FlakyLine implements AutoCloseable {
    private final ServerSocket here;
    private final int server;
    private final Random random;
    private final int mostBytes;
    private final AtomicInteger cuts = new AtomicInteger();

    /// @param server port on this host
    /// @param mostBytes the longest that a connection lives, in bytes that the server sends
    public FlakyLine(int server, long seed, int mostBytes) throws IOException {
        this.here = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        this.server = server;
        this.random = new Random(seed);
        this.mostBytes = mostBytes;
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return here.getLocalPort();
    }

    /// Connections that were cut so far.
    public int cuts() {
        return cuts.get();
    }

    private void accept() {
        while (!here.isClosed()) {
            try {
                Socket client = here.accept();
                Socket behind = new Socket(InetAddress.getLoopbackAddress(), server);
                int bytes;
                synchronized (random) {
                    bytes = random.nextInt(mostBytes);
                }
                Thread.ofVirtual().start(() -> pass(client, behind, Integer.MAX_VALUE));
                Thread.ofVirtual().start(() -> pass(behind, client, bytes));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private void pass(Socket from, Socket to, int bytes) {
        byte[] buffer = new byte[8192];
        int left = bytes;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            while (true) {
                int count = in.read(buffer);
                if (count < 0) {
                    return;
                }
                out.write(buffer, 0, Math.min(count, left));
                left -= count;
                if (left <= 0) {
                    cuts.incrementAndGet();
                    return;
                }
            }
        } catch (IOException _) {
            // the other side was closed
        }
    }

    @Override
    public void close() throws IOException {
        here.close();
    }
}
