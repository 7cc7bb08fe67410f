package dev.mainstay.storage.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.FlakyLine;
import dev.mainstay.testkit.ServerIdentity;
import dev.mainstay.testkit.StubServer;
import dev.mainstay.testkit.TunnelProxy;
import dev.mainstay.testkit.azure.Azurite;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/// TLS, proxies and lines that break.
final class AzureRouteTest {
    private static final long SEED = 20261122;

    @TempDir Path folder = Path.of("");

    private static AzurePlace place(URI endpoint, Route route) {
        return new AzurePlace(
                Azurite.ACCOUNT,
                "container",
                "p",
                Optional.of(endpoint.resolve("/" + Azurite.ACCOUNT)),
                Places.LOGIN,
                AzurePlace.Storing.AS_THE_ACCOUNT_SAYS,
                route);
    }

    private static void answerSizes(StubServer server) {
        server.answerAllWith(StubServer.told(200, Map.of("ETag", "\"0x8D\""), "xyz"));
    }

    @Test
    void onlyWhoIsTrustedIsTalkedTo() throws Exception {
        ServerIdentity identity = ServerIdentity.make(folder);
        try (StubServer server = StubServer.secure(identity.context())) {
            answerSizes(server);
            Route trusting = new Route(Optional.of(identity.caFile()), Optional.empty());
            try (ObjectStore store = AzureStore.open(place(server.endpoint(), trusting))) {
                assertThat(store.size("a")).contains(3L);
            }
            try (ObjectStore store = AzureStore.open(place(server.endpoint(), Route.DIRECT))) {
                MainstayException refused =
                        catchThrowableOfType(MainstayException.class, () -> store.size("a"));
                assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
                assertThat(refused.hint()).contains("repository.ca-file");
            }
        }
    }

    @Test
    void requestsGoThroughTheProxyWithItsPassword() throws Exception {
        ServerIdentity identity = ServerIdentity.make(folder);
        try (StubServer server = StubServer.secure(identity.context());
                TunnelProxy proxy = new TunnelProxy("user", "pass/word")) {
            answerSizes(server);
            String at = "@127.0.0.1:" + proxy.port();
            Route through =
                    new Route(
                            Optional.of(identity.caFile()),
                            Optional.of(URI.create("http://user:pass%2Fword" + at)));
            try (ObjectStore store = AzureStore.open(place(server.endpoint(), through))) {
                assertThat(store.size("a")).contains(3L);
            }
            assertThat(proxy.tunnels()).isPositive();
            Route wrong =
                    new Route(through.caFile(), Optional.of(URI.create("http://user:wrong" + at)));
            int before = proxy.tunnels();
            try (ObjectStore store = AzureStore.open(place(server.endpoint(), wrong))) {
                MainstayException refused =
                        catchThrowableOfType(MainstayException.class, () -> store.size("a"));
                assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
                assertThat(refused.hint()).contains("repository.proxy");
            }
            assertThat(proxy.tunnels()).isEqualTo(before);
        }
    }

    /// Nothing that was answered is lost, and nothing is there twice or in halves.
    @Test
    void onALineThatBreaksAllIsAsItWasAnswered() throws IOException {
        try (Azurite azurite = Azurite.start();
                FlakyLine line = new FlakyLine(azurite.endpoint().getPort(), SEED, 9000)) {
            azurite.makeContainer("flaky");
            AzurePlace place =
                    Places.at(
                            URI.create("http://127.0.0.1:" + line.port() + "/" + Azurite.ACCOUNT),
                            "flaky",
                            "p",
                            new AzurePlace.Login.AccountKey(azurite.accountKey()));
            RetryingStore.Patience patience =
                    new RetryingStore.Patience(Duration.ofMillis(1), Duration.ofMillis(20), 40);
            TreeMap<String, byte[]> expected = new TreeMap<>();
            Random random = new Random(SEED);
            try (ObjectStore store =
                    RetryingStore.of(AzureStore.open(place, Map.of(), 1 << 10, 7), patience)) {
                for (int i = 0; i < 150; i++) {
                    step(store, expected, random, i);
                }
                assertThat(all(store))
                        .as("seed %d, %d cuts", SEED, line.cuts())
                        .containsExactlyElementsOf(
                                expected.entrySet().stream()
                                        .map(e -> new StoredObject(e.getKey(), e.getValue().length))
                                        .toList());
            }
            assertThat(line.cuts()).isGreaterThan(20);
        }
    }

    /// By pages that fit through the line.
    private static List<StoredObject> all(ObjectStore store) {
        List<StoredObject> all = new ArrayList<>();
        ListPage page = store.list("", "", 3);
        while (!page.last()) {
            all.addAll(page.objects());
            page = store.list("", page.next(), 3);
        }
        all.addAll(page.objects());
        return all;
    }

    private static void step(
            ObjectStore store, Map<String, byte[]> expected, Random random, int number) {
        String name = "f/" + random.nextInt(40);
        byte[] held = expected.get(name);
        switch (random.nextInt(4)) {
            case 0 -> {
                DeleteOutcome outcome = store.delete(name);
                if (held == null) {
                    assertThat(outcome).isEqualTo(DeleteOutcome.ABSENT);
                }
                expected.remove(name);
            }
            case 1 -> {
                if (held != null) {
                    assertThat(store.get(name, 0, held.length)).isEqualTo(held);
                } else {
                    assertThat(store.size(name)).isEmpty();
                }
            }
            default -> {
                byte[] content = (number + "-" + "x".repeat(random.nextInt(3000))).getBytes(US_ASCII);
                PutOutcome outcome = store.put(name, ByteBuffer.wrap(content));
                assertThat(outcome)
                        .isEqualTo(held == null ? PutOutcome.CREATED : PutOutcome.EXISTED);
                expected.putIfAbsent(name, content);
            }
        }
    }
}
