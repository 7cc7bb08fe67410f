import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

/// A line to an HTTP server on this host that seems longer than it is: what goes through arrives half of so many
/// milliseconds later, each way, and as much as comes at once. Prints the first words of each request.
///
///     java SlowLine.java PORT SERVER-PORT MILLISECONDS
public final class SlowLine {
    private record Piece(byte[] bytes, long due) {}

    private SlowLine() {}

    public static void main(String... words) throws IOException {
        int here = Integer.parseInt(words[0]);
        int server = Integer.parseInt(words[1]);
        long delayNanos = Math.round(Double.parseDouble(words[2]) / 2 * 1e6);
        try (ServerSocket accepting =
                new ServerSocket(here, 256, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket client = accepting.accept();
                Socket behind = new Socket(InetAddress.getLoopbackAddress(), server);
                client.setTcpNoDelay(true);
                behind.setTcpNoDelay(true);
                pass(client, behind, delayNanos, true);
                pass(behind, client, delayNanos, false);
            }
        }
    }

    private static void pass(Socket from, Socket to, long delayNanos, boolean told) {
        BlockingQueue<Piece> under = new LinkedBlockingQueue<>(4096);
        Thread.ofVirtual().start(() -> read(from, under, delayNanos, told));
        Thread.ofVirtual().start(() -> write(under, to));
    }

    private static void read(
            Socket from, BlockingQueue<Piece> under, long delayNanos, boolean told) {
        byte[] buffer = new byte[64 * 1024];
        try {
            InputStream in = from.getInputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                if (told) {
                    tell(new String(buffer, 0, Math.min(count, 200), StandardCharsets.ISO_8859_1));
                }
                under.put(new Piece(Arrays.copyOf(buffer, count), System.nanoTime() + delayNanos));
            }
        } catch (IOException | InterruptedException closed) {
            // as at the end
        } finally {
            under.offer(new Piece(new byte[0], System.nanoTime() + delayNanos));
        }
    }

    /// A client sends the head of a request by itself.
    private static void tell(String begin) {
        if (begin.startsWith("GET /")
                || begin.startsWith("HEAD /")
                || begin.startsWith("PUT /")
                || begin.startsWith("DELETE /")) {
            System.out.println(begin.substring(0, Math.max(6, begin.indexOf(" HTTP"))));
        }
    }

    private static void write(BlockingQueue<Piece> under, Socket to) {
        try (to) {
            OutputStream out = to.getOutputStream();
            while (true) {
                Piece piece = under.take();
                for (long wait = piece.due - System.nanoTime();
                        wait > 0;
                        wait = piece.due - System.nanoTime()) {
                    LockSupport.parkNanos(wait);
                }
                if (piece.bytes.length == 0) {
                    return;
                }
                out.write(piece.bytes);
            }
        } catch (IOException | InterruptedException closed) {
            // the other side has ended
        }
    }
}
