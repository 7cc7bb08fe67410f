package dev.mainstay.storage.remote;

import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Optional;

/// What time a store over the network has, as the `Date` of its answers says. It is asked without a
/// login, which it refuses; a refusal has a date as well.
public final class StoreClock {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /// That of `Date`, which leaves out what comes behind the second.
    private static final Duration SECOND = Duration.ofSeconds(1);

    private StoreClock() {}

    /// How far a store's clock is ahead of this host's; zero where both agree within what can be
    /// told. Empty where it does not answer, or tells no date.
    public static Optional<Duration> ahead(RemotePlace place, InstantSource clock) {
        HttpRequest request =
                HttpRequest.newBuilder(endpoint(place))
                        .method("HEAD", HttpRequest.BodyPublishers.noBody())
                        .timeout(PATIENCE)
                        .build();
        try (HttpClient client = client(route(place))) {
            Instant before = clock.instant();
            HttpResponse<Void> answer =
                    client.send(request, HttpResponse.BodyHandlers.discarding());
            Instant after = clock.instant();
            return answer.headers()
                    .firstValue("Date")
                    .map(
                            date ->
                                    DateTimeFormatter.RFC_1123_DATE_TIME.parse(
                                            date, ZonedDateTime::from))
                    .map(date -> judge(before, date.toInstant(), after));
        } catch (IOException | DateTimeException | MainstayException unknown) {
            return Optional.empty(); // whether the store can be reached, others say
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /// The store answered between `before` and `after` of this host's clock, in the second that
    /// began with `date` of its own.
    static Duration judge(Instant before, Instant date, Instant after) {
        if (date.isAfter(after)) {
            return Duration.between(after, date);
        }
        Instant end = date.plus(SECOND);
        return end.isBefore(before) ? Duration.between(before, end) : Duration.ZERO;
    }

    private static HttpClient client(Route route) {
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .connectTimeout(PATIENCE)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .sslContext(Authorities.context(route.caFile()));
        route.through()
                .ifPresent(
                        proxy ->
                                builder.proxy(
                                        ProxySelector.of(
                                                new InetSocketAddress(
                                                        proxy.host(), proxy.port()))));
        return builder.build();
    }

    private static Route route(RemotePlace place) {
        return switch (place) {
            case S3Place s3 -> s3.route();
            case AzurePlace azure -> azure.route();
            case GcsPlace gcs -> gcs.route();
        };
    }

    private static URI endpoint(RemotePlace place) {
        return switch (place) {
            case S3Place s3 ->
                    s3.endpoint()
                            .orElseGet(
                                    () ->
                                            URI.create(
                                                    s3.region()
                                                            .map(
                                                                    region ->
                                                                            "https://s3."
                                                                                    + region
                                                                                    + ".amazonaws.com/")
                                                            .orElse("https://s3.amazonaws.com/")));
            case AzurePlace azure ->
                    azure.endpoint()
                            .orElseGet(
                                    () ->
                                            URI.create(
                                                    "https://"
                                                            + azure.account()
                                                            + ".blob.core.windows.net/"));
            case GcsPlace gcs ->
                    gcs.endpoint().orElseGet(() -> URI.create("https://storage.googleapis.com/"));
        };
    }
}
