package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

import dev.mainstay.testkit.Await;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/// Following a job of a server that behaves badly.
class RemoteJobTest {
    private static final String LINE =
            """
            id:3
            event:line
            data:{"number":3,"text":"half way"}

            """;
    private static final String END =
            """
            event:end
            data:{"id":"j1","kind":"verify","target":"","state":"done","result":{"backups":"2"}}

            """;

    private final Console console = new Console();
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private final CountDownLatch over = new CountDownLatch(1);
    private final HttpServer server;
    @TempDir private Path folder;

    RemoteJobTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    }

    @BeforeEach
    void start() {
        server.setExecutor(task -> Thread.ofVirtual().start(task));
        server.start();
    }

    @AfterEach
    void stop() {
        over.countDown();
        server.stop(0);
    }

    private String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    private void jobs(int status, String body) {
        server.createContext("/api/v1/jobs", exchange -> answer(exchange, status, body));
    }

    private void answer(HttpExchange exchange, int status, String body) throws IOException {
        asked.add(
                exchange.getRequestMethod()
                        + " "
                        + exchange.getRequestHeaders().getFirst("Idempotency-Key"));
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    private Terminal terminal() {
        return console.terminal(
                new ByteArrayInputStream(new byte[0]),
                false,
                Map.of("MAINSTAY_TOKEN", "mst_x"),
                folder);
    }

    @Test
    void aStreamThatBreaksOffIsTakenUpWhereItEnded() {
        jobs(202, "{\"id\":\"j1\"}");
        List<String> after = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger times = new AtomicInteger();
        server.createContext(
                "/api/v1/jobs/j1/events",
                exchange -> {
                    @Nullable String last = exchange.getRequestHeaders().getFirst("Last-Event-ID");
                    after.add(String.valueOf(last));
                    exchange.sendResponseHeaders(200, 0);
                    String text = times.getAndIncrement() == 0 ? LINE : END;
                    exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
                    exchange.close();
                });
        int code =
                console.run(folder, Map.of("MAINSTAY_TOKEN", "mst_x"), "verify", "--server", url());
        assertThat(code).as(console.err()).isZero();
        assertThat(console.out()).contains("verify is done", "j1");
        assertThat(console.err()).containsOnlyOnce("half way");
        assertThat(after).containsExactly("null", "3");
        assertThat(asked).singleElement().asString().matches("POST [0-9a-f]{32}");
    }

    @Test
    void whoIsStoppedLeavesTheJobAndSaysWhichItIs() throws Exception {
        jobs(202, "{\"id\":\"j1\"}");
        CountDownLatch following = new CountDownLatch(1);
        server.createContext(
                "/api/v1/jobs/j1/events",
                exchange -> {
                    exchange.sendResponseHeaders(200, 0);
                    exchange.getResponseBody().write(LINE.getBytes(StandardCharsets.UTF_8));
                    exchange.getResponseBody().flush();
                    following.countDown();
                    try {
                        over.await();
                    } catch (InterruptedException stopped) {
                        Thread.currentThread().interrupt();
                    }
                    exchange.close();
                });
        Interruption interruption = new Interruption(Duration.ofSeconds(30), console.errors());
        int[] code = {-1};
        Thread command =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    code[0] =
                                            new CommandRunner(
                                                            terminal(),
                                                            InstantSource.system(),
                                                            interruption)
                                                    .run(List.of("verify", "--server", url()));
                                    interruption.end(code[0]);
                                });
        following.await();
        Await.until("the line to be shown", () -> console.err().contains("half way"));
        interruption.stop();
        command.join();
        assertThat(code[0]).isEqualTo(Exits.INTERRUPTED);
        assertThat(console.err())
                .contains("job j1 goes on", "mainstay jobs follow j1", "mainstay jobs cancel j1");
    }

    @Test
    void whatIsNoAnswerOfAMainstayServerIsSaidSo() {
        jobs(502, "<html>bad gateway</html>");
        assertThat(
                        console.run(
                                folder,
                                Map.of("MAINSTAY_TOKEN", "mst_x"),
                                "verify",
                                "--server",
                                url()))
                .isOne();
        assertThat(console.err()).contains("MS-1281", "502").doesNotContain("html");
    }
}
