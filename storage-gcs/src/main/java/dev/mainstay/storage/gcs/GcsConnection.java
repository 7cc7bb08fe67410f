package dev.mainstay.storage.gcs;

import com.google.api.client.http.HttpRequest;
import com.google.api.client.http.HttpRequestInitializer;
import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.apache.v5.Apache5HttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.storage.Storage;
import com.google.auth.Credentials;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.ImpersonatedCredentials;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.Authorities;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.Route;

import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.classic.ExecChain;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.client5.http.ssl.HttpsSupport;
import org.apache.hc.core5.http.ClassicHttpRequest;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.reactor.ssl.SSLBufferMode;
import org.apache.hc.core5.util.Timeout;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;

/// A client of the SDK, set up as a place says. Neither it nor its HTTP client tries anything again,
/// but once with a new token where the old one was refused.
final class GcsConnection implements AutoCloseable {
    private static final int CONNECT_MILLIS = 10_000;

    /// Without a byte; a large object may take as long as it wants.
    private static final int SILENCE_MILLIS = 30_000;

    /// More than any operation has threads.
    private static final int MOST_CONNECTIONS = 128;

    private static final int TOKEN_SECONDS = 3600;
    private static final List<String> SCOPES =
            List.of("https://www.googleapis.com/auth/devstorage.read_write");

    /// Whoever hands out tokens for another account wants this one.
    private static final List<String> ANY_SCOPE =
            List.of("https://www.googleapis.com/auth/cloud-platform");

    private final Storage client;
    private final CloseableHttpClient http;

    private GcsConnection(Storage client, CloseableHttpClient http) {
        this.client = client;
        this.http = http;
    }

    /// @throws MainstayException STORE_REFUSED if there is no login, or the CA file is unusable
    static GcsConnection open(GcsPlace place) {
        CloseableHttpClient http = http(place.route());
        HttpTransport transport = new Apache5HttpTransport(http);
        HttpRequestInitializer login = login(place, transport);
        Storage.Builder builder =
                new Storage.Builder(
                                transport,
                                GsonFactory.getDefaultInstance(),
                                request -> initialize(request, login))
                        .setApplicationName("mainstay");
        place.endpoint().map(URI::toString).ifPresent(url -> builder.setRootUrl(url + "/"));
        return new GcsConnection(builder.build(), http);
    }

    static void initialize(HttpRequest request, HttpRequestInitializer login) throws IOException {
        login.initialize(request);
        request.setConnectTimeout(CONNECT_MILLIS);
        request.setReadTimeout(SILENCE_MILLIS);
        request.setNumberOfRetries(1);
        request.setFollowRedirects(false);
    }

    Storage client() {
        return client;
    }

    private static HttpRequestInitializer login(GcsPlace place, HttpTransport transport) {
        try {
            return login(place.login(), transport, SCOPES);
        } catch (IOException | IllegalArgumentException unusable) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "no login for " + place.url() + ": " + unusable.getMessage(),
                    "give credentials-file below repository, or let GOOGLE_APPLICATION_CREDENTIALS,"
                            + " 'gcloud auth application-default login' or this host's service account"
                            + " give a login",
                    unusable);
        }
    }

    /// Who asks.
    ///
    /// @param scopes of the token
    static HttpRequestInitializer login(
            GcsPlace.Login login, HttpTransport transport, List<String> scopes)
            throws IOException {
        return switch (login) {
            case GcsPlace.Login.Nobody() -> _ -> {};
            case GcsPlace.Login.Chain chain ->
                    new HttpCredentialsAdapter(credentials(chain, transport, scopes));
        };
    }

    private static Credentials credentials(
            GcsPlace.Login.Chain chain, HttpTransport transport, List<String> scopes)
            throws IOException {
        GoogleCredentials found =
                chain.file().isPresent()
                        ? read(chain.file().get(), transport)
                        : GoogleCredentials.getApplicationDefault(() -> transport);
        return chain.impersonate().isPresent()
                ? ImpersonatedCredentials.create(
                        found.createScoped(ANY_SCOPE),
                        chain.impersonate().get(),
                        null,
                        scopes,
                        TOKEN_SECONDS,
                        () -> transport)
                : found.createScoped(scopes);
    }

    /// A service account's key, or how a workload identity is got.
    @SuppressWarnings("deprecation") // the file is the operator's own, not a stranger's
    private static GoogleCredentials read(Path file, HttpTransport transport) throws IOException {
        try (InputStream json = Files.newInputStream(file)) {
            return GoogleCredentials.fromStream(json, () -> transport);
        } catch (IOException | IllegalArgumentException unusable) {
            throw new IOException("in " + file + ": " + unusable.getMessage(), unusable);
        }
    }

    static CloseableHttpClient http(Route route) {
        HttpClientBuilder builder =
                HttpClients.custom()
                        .disableAutomaticRetries()
                        .disableRedirectHandling()
                        .disableCookieManagement()
                        .disableContentCompression()
                        .addExecInterceptorFirst("interrupts", GcsConnection::toldApart)
                        .setConnectionManager(
                                PoolingHttpClientConnectionManagerBuilder.create()
                                        .setTlsSocketStrategy(
                                                new DefaultClientTlsStrategy(
                                                        Authorities.context(route.caFile()),
                                                        Authorities.PROTOCOLS.toArray(String[]::new),
                                                        null,
                                                        SSLBufferMode.STATIC,
                                                        HttpsSupport.getDefaultHostnameVerifier()))
                                        .setMaxConnTotal(MOST_CONNECTIONS)
                                        .setMaxConnPerRoute(MOST_CONNECTIONS)
                                        .setDefaultConnectionConfig(
                                                ConnectionConfig.custom()
                                                        .setConnectTimeout(
                                                                Timeout.ofMilliseconds(
                                                                        CONNECT_MILLIS))
                                                        .setSocketTimeout(
                                                                Timeout.ofMilliseconds(
                                                                        SILENCE_MILLIS))
                                                        .build())
                                        .build());
        route.through().ifPresentOrElse(proxy -> go(builder, proxy), builder::useSystemProperties);
        return builder.build();
    }

    /// The client has an unchecked exception for a thread that is interrupted.
    private static ClassicHttpResponse toldApart(
            ClassicHttpRequest request, ExecChain.Scope scope, ExecChain chain)
            throws IOException, HttpException {
        try {
            return chain.proceed(request, scope);
        } catch (CancellationException interrupted) {
            InterruptedIOException told = new InterruptedIOException("interrupted");
            told.initCause(interrupted);
            throw told;
        }
    }

    private static void go(HttpClientBuilder builder, Route.Proxy proxy) {
        HttpHost host = new HttpHost(proxy.scheme(), proxy.host(), proxy.port());
        builder.setProxy(host);
        proxy.user()
                .ifPresent(
                        user -> {
                            BasicCredentialsProvider known = new BasicCredentialsProvider();
                            known.setCredentials(
                                    new AuthScope(host),
                                    new UsernamePasswordCredentials(
                                            user.name(), user.password().toCharArray()));
                            builder.setDefaultCredentialsProvider(known);
                        });
    }

    @Override
    public void close() throws IOException {
        http.close();
    }
}
