package dev.mainstay.server.notify;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;

/// Puts something to an address over HTTPS. Addresses are as good as passwords: no message has one.
final class Posting {
    private static final Duration CONNECT = Duration.ofSeconds(10);
    private static final Duration MOST_WAIT = Duration.ofHours(1);

    private final HttpClient client;
    private final Duration patience;

    /// @param patience for an answer
    Posting(Optional<Path> caFile, Duration patience) {
        this.patience = patience;
        SSLParameters parameters = new SSLParameters();
        parameters.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
        this.client =
                HttpClient.newBuilder()
                        .connectTimeout(CONNECT)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .sslContext(Trust.context(caFile))
                        .sslParameters(parameters)
                        .build();
    }

    void post(URI url, String type, byte[] body, Map<String, String> headers)
            throws DeliveryFailure, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(url)
                        .timeout(patience)
                        .header("Content-Type", type)
                        .header("User-Agent", "mainstay")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        try {
            judge(client.send(request.build(), HttpResponse.BodyHandlers.discarding()));
        } catch (HttpTimeoutException slow) {
            throw DeliveryFailure.passing(
                    url.getHost() + " did not answer within " + patience.toSeconds() + " s");
        } catch (SSLException untrusted) {
            throw DeliveryFailure.passing(
                    "no trusted connection to " + url.getHost() + ": " + untrusted.getMessage());
        } catch (IOException broken) {
            throw DeliveryFailure.passing(
                    url.getHost() + " cannot be reached: " + broken.getClass().getSimpleName());
        }
    }

    void postJson(URI url, String json, Map<String, String> headers)
            throws DeliveryFailure, InterruptedException {
        post(url, "application/json", json.getBytes(StandardCharsets.UTF_8), headers);
    }

    private static void judge(HttpResponse<Void> answer) throws DeliveryFailure {
        int status = answer.statusCode();
        String said = answer.uri().getHost() + " answered " + status;
        if (status >= 200 && status < 300) {
            return;
        }
        if (status == 429 || status == 503) {
            throw DeliveryFailure.busy(said, retryAfter(answer));
        }
        if (status >= 500 || status == 408) {
            throw DeliveryFailure.passing(said);
        }
        throw DeliveryFailure.permanent(said);
    }

    private static Optional<Duration> retryAfter(HttpResponse<Void> answer) {
        return answer.headers()
                .firstValue("Retry-After")
                .filter(text -> text.matches("[0-9]{1,6}"))
                .map(text -> Duration.ofSeconds(Long.parseLong(text)))
                .map(wait -> wait.compareTo(MOST_WAIT) > 0 ? MOST_WAIT : wait);
    }
}
