package dev.mainstay.testkit;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;

/// A proxy on this host that tunnels (`CONNECT`) for whoever gives its user and password.
public final class TunnelProxy implements AutoCloseable {
    private static final String REFUSAL =
            """
            HTTP/1.1 407 Proxy Authentication Required\r
            Proxy-Authenticate: Basic realm="test"\r
            Content-Length: 0\r
            Connection: close\r
            \r
            """;

    private final ServerSocket here;
    private final String wanted;
    private final AtomicInteger tunnels = new AtomicInteger();
    private final AtomicInteger refusals = new AtomicInteger();

    public TunnelProxy(String user, String password) throws IOException {
        this.here = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        this.wanted =
                "proxy-authorization: Basic "
                        + Base64.getEncoder()
                                .encodeToString((user + ":" + password).getBytes(US_ASCII));
        Thread.ofVirtual().start(this::accept);
    }

    public int port() {
        return here.getLocalPort();
    }

    public int tunnels() {
        return tunnels.get();
    }

    public int refusals() {
        return refusals.get();
    }

    private void accept() {
        while (!here.isClosed()) {
            try {
                Socket client = here.accept();
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException _) {
                return; // closed
            }
        }
    }

    private void serve(Socket client) {
        try (client) {
            String head = head(client.getInputStream());
            String[] line = head.lines().findFirst().orElse("").split(" ", -1);
            boolean known = head.lines().anyMatch(each -> each.equalsIgnoreCase(wanted));
            if (line.length < 2 || !line[0].equals("CONNECT") || !known) {
                refusals.incrementAndGet();
                client.getOutputStream().write(REFUSAL.getBytes(US_ASCII));
                return;
            }
            int port = Integer.parseInt(line[1].substring(line[1].lastIndexOf(':') + 1));
            try (Socket server = new Socket(InetAddress.getLoopbackAddress(), port)) {
                tunnels.incrementAndGet();
                client.getOutputStream().write("HTTP/1.1 200 OK\r\n\r\n".getBytes(US_ASCII));
                Thread back = Thread.ofVirtual().start(() -> copy(server, client));
                copy(client, server);
                back.join();
            }
        } catch (IOException _) {
            // one of them went away
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void copy(Socket from, Socket to) {
        try {
            from.getInputStream().transferTo(to.getOutputStream());
            to.shutdownOutput();
        } catch (IOException _) {
            // one of them went away
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                break;
            }
            head.append((char) next);
        }
        return head.toString();
    }

    @Override
    public void close() throws IOException {
        here.close();
    }
}
