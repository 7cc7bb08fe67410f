package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;

import dev.mainstay.testkit.TestSecrets;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// `notify test` with a chat on this host.
class NotifyCommandTest {
    private final Console console = new Console();
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private int status = 200;
    @TempDir private Path folder;
    private @Nullable HttpServer chat;

    @BeforeEach
    void open() throws IOException {
        HttpServer made =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        made.createContext(
                "/",
                exchange -> {
                    told.add(
                            new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8));
                    exchange.sendResponseHeaders(status, -1);
                    exchange.close();
                });
        made.start();
        chat = made;
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository: { url: "file:///nowhere", encryption: none }
                server:
                  notifications: { channels: { chat: { type: slack, url: "${CHAT}" } } }
                """);
    }

    @AfterEach
    void close() {
        Objects.requireNonNull(chat).stop(0);
    }

    private int run(String... arguments) {
        String url =
                "http://127.0.0.1:"
                        + Objects.requireNonNull(chat).getAddress().getPort()
                        + "/"
                        + TestSecrets.of("hook");
        return console.run(folder, Map.of("CHAT", url), arguments);
    }

    @Test
    void whatBecameOfItIsSaid() {
        assertThat(run("notify", "test", "chat", "--output", "json")).as(console.err()).isZero();
        assertThat(console.out()).contains("\"channel\":\"chat\"", "\"type\":\"slack\"");
        assertThat(told).singleElement().asString().contains("TEST");
        status = 403;
        assertThat(run("notify", "test", "chat")).isOne();
        assertThat(console.err())
                .contains("MS-1263", "chat", "403", "HINT:")
                .doesNotContain(TestSecrets.of("hook"));
    }

    @Test
    void aChannelThatIsNotThereIsNotTried() {
        assertThat(run("notify", "test", "chta")).isOne();
        assertThat(console.err()).contains("MS-1262", "did you mean 'chat'");
        assertThat(run("notify")).isEqualTo(2);
        assertThat(told).isEmpty();
    }
}
