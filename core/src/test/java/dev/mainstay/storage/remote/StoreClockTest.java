package dev.mainstay.storage.remote;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

class StoreClockTest {
    private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");

    @Test
    void theDateOfAnAnswerIsTrueForItsWholeSecond() {
        Instant later = NOON.plusMillis(300);
        assertThat(StoreClock.judge(NOON, NOON, later)).isZero();
        assertThat(StoreClock.judge(NOON, NOON.minusSeconds(1), later)).isZero();
        assertThat(StoreClock.judge(NOON, NOON.minusSeconds(3), later))
                .isEqualTo(Duration.ofSeconds(-2));
        assertThat(StoreClock.judge(NOON, later.plusSeconds(90), later))
                .isEqualTo(Duration.ofSeconds(90));
    }

    @Test
    void aStoreThatRefusesTellsItsTimeAllTheSame() throws IOException {
        HttpServer store =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        store.createContext(
                "/",
                exchange -> {
                    exchange.sendResponseHeaders(403, -1); // with the present Date
                    exchange.close();
                });
        store.start();
        URI endpoint = URI.create("http://127.0.0.1:" + store.getAddress().getPort());
        try {
            for (RemotePlace place : places(endpoint)) {
                assertThat(StoreClock.ahead(place, InstantSource.system())).contains(Duration.ZERO);
                assertThat(
                                StoreClock.ahead(
                                                place,
                                                () -> Instant.now().minus(Duration.ofHours(1)))
                                        .orElseThrow())
                        .isBetween(Duration.ofMinutes(59), Duration.ofMinutes(60));
            }
        } finally {
            store.stop(0);
        }
        assertThat(StoreClock.ahead(places(endpoint)[0], InstantSource.system()))
                .as("it is gone")
                .isEmpty();
    }

    private static RemotePlace[] places(URI endpoint) {
        return new RemotePlace[] {
            new S3Place(
                    "b",
                    "",
                    Optional.empty(),
                    Optional.of(endpoint),
                    true,
                    new S3Place.Login.Chain(Optional.empty()),
                    S3Place.Storing.AS_THE_BUCKET_SAYS,
                    Route.DIRECT),
            new AzurePlace(
                    "a",
                    "c",
                    "",
                    Optional.of(endpoint),
                    new AzurePlace.Login.Chain(Optional.empty(), Optional.empty()),
                    AzurePlace.Storing.AS_THE_ACCOUNT_SAYS,
                    Route.DIRECT),
            new GcsPlace(
                    "b",
                    "",
                    Optional.of(endpoint),
                    new GcsPlace.Login.Nobody(),
                    GcsPlace.Storing.AS_THE_BUCKET_SAYS,
                    Route.DIRECT)
        };
    }
}
