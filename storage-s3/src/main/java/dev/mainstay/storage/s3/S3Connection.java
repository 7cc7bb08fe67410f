package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.S3Place;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.apache5.ProxyConfiguration;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.utils.SdkAutoCloseable;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/// A client of the SDK, set up as a place says.
///
/// The SDK tries nothing again, sends no checksums but ours and frames no bodies in chunks of its
/// own: older servers and gateways (Ceph, MinIO, proxies) refuse or store such frames.
final class S3Connection implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    /// Without a byte; a large object may take as long as it wants.
    private static final Duration SILENCE = Duration.ofSeconds(30);

    /// Until another thread's request is over.
    private static final Duration QUEUE = Duration.ofMinutes(2);

    /// More than any operation has threads.
    private static final int MOST_CONNECTIONS = 128;

    /// What signatures for compatible servers carry where the configuration names none.
    private static final String ANY_REGION = "us-east-1";

    private final S3Client client;
    private final SdkHttpClient http;
    private final AwsCredentialsProvider credentials;

    private S3Connection(S3Client client, SdkHttpClient http, AwsCredentialsProvider credentials) {
        this.client = client;
        this.http = http;
        this.credentials = credentials;
    }

    static S3Connection open(S3Place place) {
        Region region = region(place);
        SdkHttpClient http = http(place.route());
        AwsCredentialsProvider credentials = credentials(place.login());
        S3ClientBuilder builder =
                S3Client.builder()
                        .region(region)
                        .credentialsProvider(credentials)
                        .httpClient(http)
                        .forcePathStyle(place.pathStyle())
                        .disableS3ExpressSessionAuth(true)
                        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                        .serviceConfiguration(service -> service.chunkedEncodingEnabled(false))
                        .overrideConfiguration(
                                override ->
                                        override.retryStrategy(DefaultRetryStrategy.doNotRetry()));
        place.endpoint().ifPresent(builder::endpointOverride);
        return new S3Connection(builder.build(), http, credentials);
    }

    S3Client client() {
        return client;
    }

    private static Region region(S3Place place) {
        if (place.region().isPresent()) {
            return Region.of(place.region().get());
        }
        if (place.endpoint().isPresent()) {
            return Region.of(ANY_REGION);
        }
        try {
            return region(place.login());
        } catch (SdkClientException unknown) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "the region of " + place.url() + " is unknown: " + unknown.getMessage(),
                    "set repository.region to the region of the bucket",
                    unknown);
        }
    }

    /// What the environment, the profile or this host say.
    ///
    /// @throws SdkClientException if none of them does
    static Region region(S3Place.Login login) {
        DefaultAwsRegionProviderChain.Builder chain = DefaultAwsRegionProviderChain.builder();
        if (login instanceof S3Place.Login.Chain(Optional<String> profile)) {
            profile.ifPresent(chain::profileName);
        }
        return chain.build().getRegion();
    }

    static AwsCredentialsProvider credentials(S3Place.Login login) {
        return switch (login) {
            case S3Place.Login.Chain(Optional<String> profile) ->
                    profile.<AwsCredentialsProvider>map(ProfileCredentialsProvider::create)
                            .orElseGet(() -> DefaultCredentialsProvider.builder().build());
            case S3Place.Login.Keys keys -> StaticCredentialsProvider.create(given(keys));
        };
    }

    private static AwsCredentials given(S3Place.Login.Keys keys) {
        return keys.sessionToken().isPresent()
                ? AwsSessionCredentials.create(
                        keys.accessKeyId(), keys.secretAccessKey(), keys.sessionToken().get())
                : AwsBasicCredentials.create(keys.accessKeyId(), keys.secretAccessKey());
    }

    static SdkHttpClient http(Route route) {
        Apache5HttpClient.Builder builder =
                Apache5HttpClient.builder()
                        .connectionTimeout(CONNECT)
                        .socketTimeout(SILENCE)
                        .connectionAcquisitionTimeout(QUEUE)
                        .maxConnections(MOST_CONNECTIONS)
                        .tcpKeepAlive(true)
                        .tlsSocketStrategy(Tls.strategy(route.caFile()));
        route.through().ifPresent(proxy -> builder.proxyConfiguration(proxy(proxy)));
        return builder.build();
    }

    private static ProxyConfiguration proxy(Route.Proxy proxy) {
        ProxyConfiguration.Builder builder =
                ProxyConfiguration.builder()
                        .useSystemPropertyValues(false)
                        .useEnvironmentVariableValues(false)
                        .endpoint(
                                URI.create(
                                        proxy.scheme() + "://" + proxy.host() + ":" + proxy.port()));
        proxy.user()
                .ifPresent(
                        user ->
                                builder.username(user.name())
                                        .password(user.password())
                                        .preemptiveBasicAuthenticationEnabled(true));
        return builder.build();
    }

    @Override
    public void close() {
        client.close();
        http.close();
        if (credentials instanceof SdkAutoCloseable closeable) {
            closeable.close();
        }
    }
}
