package dev.mainstay.storage.azure;

import com.azure.core.credential.TokenCredential;
import com.azure.core.http.HttpClient;
import com.azure.core.http.ProxyOptions;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.util.ClientOptions;
import com.azure.core.util.ConfigurationBuilder;
import com.azure.identity.AzureCliCredentialBuilder;
import com.azure.identity.ChainedTokenCredentialBuilder;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.common.StorageSharedKeyCredential;
import com.azure.storage.common.policy.RequestRetryOptions;
import com.azure.storage.common.policy.RetryPolicyType;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.Authorities;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.Route;

import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

import javax.net.ssl.SSLParameters;

/// A client of the SDK, set up as a place says. The SDK tries nothing again; requests go by the
/// JDK's own HTTP client, which tries again only what it could not begin to send, and reading.
final class AzureConnection {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    /// Until an answer begins, beside what its request takes to be sent.
    static final Duration SILENCE = Duration.ofSeconds(60);

    private static final String PUBLIC_CLOUD = ".blob.core.windows.net";

    /// Which of its ways to an identity the SDK tries: not those of editors and shells.
    private static final String WAYS = "AZURE_TOKEN_CREDENTIALS";

    /// The JDK sends no password to a proxy through which it tunnels, unless this is empty. It reads
    /// it once, when the first HTTP client is made.
    private static final String TUNNELLING = "jdk.http.auth.tunneling.disabledSchemes";

    static {
        if (System.getProperty(TUNNELLING) == null) {
            System.setProperty(TUNNELLING, "");
        }
    }

    private final AzurePlace place;
    private final Map<String, String> environment;

    private AzureConnection(AzurePlace place, Map<String, String> environment) {
        this.place = place;
        this.environment = environment;
    }

    /// @throws MainstayException STORE_REFUSED if the CA file, key or connection string is unusable
    static BlobContainerClient open(AzurePlace place, Map<String, String> environment) {
        return new AzureConnection(place, environment).client();
    }

    private BlobContainerClient client() {
        HttpClient http = http(place.route());
        BlobContainerClientBuilder builder =
                new BlobContainerClientBuilder()
                        .httpClient(http)
                        .clientOptions(new ClientOptions().setApplicationId("mainstay"))
                        .retryOptions(
                                new RequestRetryOptions(
                                        RetryPolicyType.FIXED, 1, (Duration) null, null, null, null));
        try {
            switch (place.login()) {
                case AzurePlace.Login.Chain chain ->
                        builder.endpoint(endpoint())
                                .credential(identity(chain, http, environment));
                case AzurePlace.Login.AccountKey(String key) ->
                        builder.endpoint(endpoint())
                                .credential(new StorageSharedKeyCredential(place.account(), checked(key)));
                case AzurePlace.Login.Sas(String token) ->
                        builder.endpoint(endpoint()).sasToken(token);
                case AzurePlace.Login.ConnectionString(String text) -> builder.connectionString(text);
            }
            place.storing().encryptionScope().ifPresent(builder::encryptionScope);
            return builder.containerName(place.container()).buildClient();
        } catch (IllegalArgumentException _) { // its message may hold the secret
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "cannot use the endpoint or login of " + place.url(),
                    "correct repository.endpoint, account-key (Base64), sas-token or"
                            + " connection-string",
                    null);
        }
    }

    private String endpoint() {
        return place.endpoint()
                .map(URI::toString)
                .orElseGet(() -> "https://" + place.account() + PUBLIC_CLOUD);
    }

    private static String checked(String key) {
        byte[] _ = Base64.getDecoder().decode(key);
        return key;
    }

    /// What the environment gives, a workload identity, a managed identity, `az login`. The SDK's
    /// longer chain goes on with editors and shells, which need native libraries that are left out.
    static TokenCredential identity(
            AzurePlace.Login.Chain chain, HttpClient http, Map<String, String> environment) {
        Map<String, String> known = new HashMap<>(environment);
        known.putIfAbsent(WAYS, "prod");
        DefaultAzureCredentialBuilder service =
                new DefaultAzureCredentialBuilder()
                        .httpClient(http)
                        .configuration(
                                new ConfigurationBuilder(_ -> Map.of(), _ -> Map.of(), _ -> known)
                                        .build());
        chain.clientId().ifPresent(service::managedIdentityClientId);
        chain.clientId().ifPresent(service::workloadIdentityClientId);
        chain.authority().ifPresent(host -> service.authorityHost(host.toString()));
        return new ChainedTokenCredentialBuilder()
                .addLast(service.build())
                .addLast(new AzureCliCredentialBuilder().httpClient(http).build())
                .build();
    }

    static HttpClient http(Route route) {
        SSLParameters versions = new SSLParameters();
        versions.setProtocols(Authorities.PROTOCOLS.toArray(String[]::new));
        JdkHttpClientBuilder builder =
                new JdkHttpClientBuilder(
                                java.net.http.HttpClient.newBuilder()
                                        .sslContext(Authorities.context(route.caFile()))
                                        .sslParameters(versions))
                        .connectionTimeout(CONNECT)
                        .responseTimeout(SILENCE)
                        .readTimeout(SILENCE)
                        .writeTimeout(Duration.ZERO);
        route.through().ifPresent(proxy -> builder.proxy(options(proxy)));
        return builder.build();
    }

    private static ProxyOptions options(Route.Proxy proxy) {
        ProxyOptions options =
                new ProxyOptions(
                        ProxyOptions.Type.HTTP,
                        InetSocketAddress.createUnresolved(proxy.host(), proxy.port()));
        proxy.user().ifPresent(user -> options.setCredentials(user.name(), user.password()));
        return options;
    }
}
