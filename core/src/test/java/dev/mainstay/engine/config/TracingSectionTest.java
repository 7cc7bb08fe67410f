package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

class TracingSectionTest {
    private static final String HTTPS = "endpoint: 'https://c.example'\n";

    @TempDir Path folder = Path.of("");

    private Optional<TracingSettings> readAll(String server, Map<String, String> environment) {
        Map<String, String> all = new HashMap<>(environment);
        all.put("H", "geheim");
        all.put("TWO_LINES", "a\nb");
        return new ConfigurationReader(all)
                .parse(
                        "m.yaml",
                        "repository: { url: file:///r, encryption: none }\n" + server,
                        folder)
                .server()
                .tracing();
    }

    private TracingSettings read(String keys) {
        return readAll("server:\n  tracing:\n" + keys.indent(4), Map.of()).orElseThrow();
    }

    private void refused(String keys, String... parts) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> {
                            assertThat(wrong.code().id()).isEqualTo(ErrorCode.CONFIG_INVALID.id());
                            assertThat(wrong.getMessage())
                                    .contains("m.yaml:", "server.tracing")
                                    .contains(parts)
                                    .doesNotContain("geheim");
                        });
    }

    @Test
    void withoutTheSectionNothingIsSent() {
        assertThat(readAll("server: { listen: '127.0.0.1:1' }", Map.of())).isEmpty();
        assertThat(readAll("", Map.of())).isEmpty();
    }

    @Test
    void everyKeyIsRead() throws IOException {
        Files.writeString(folder.resolve("header.secret"), "from the file\n");
        TracingSettings settings =
                read(
                        """
                        endpoint: https://c.example:4318/otlp
                        sample: 0.25
                        headers: { Authorization: "Bearer ${H}", X-Scope: { file: header.secret } }
                        ca-file: ca.pem
                        service-name: mainstay-berlin
                        """);
        assertThat(settings)
                .isEqualTo(
                        new TracingSettings(
                                URI.create("https://c.example:4318/otlp"),
                                0.25,
                                Map.of(
                                        "Authorization",
                                        Secret.of("Bearer geheim"),
                                        "X-Scope",
                                        Secret.of("from the file")),
                                Optional.of(folder.resolve("ca.pem")),
                                "mainstay-berlin"));
        assertThat(settings.toString()).doesNotContain("geheim", "from the file");
    }

    @Test
    void whatIsNotSaidIsUsual() {
        assertThat(read(HTTPS))
                .isEqualTo(
                        new TracingSettings(
                                URI.create("https://c.example/v1/traces"),
                                1,
                                Map.of(),
                                Optional.empty(),
                                "mainstay"));
        assertThat(read("endpoint: https://c.example:4318/").endpoint())
                .hasToString("https://c.example:4318/v1/traces");
    }

    @Test
    void theEnvironmentMaySayAllOfIt() {
        assertThat(
                        readAll(
                                "",
                                Map.of(
                                        "MAINSTAY__SERVER__TRACING__ENDPOINT",
                                        "http://127.0.0.1:4318",
                                        "MAINSTAY__SERVER__TRACING__SAMPLE",
                                        "0.5",
                                        "MAINSTAY__SERVER__TRACING__SERVICE_NAME",
                                        "s",
                                        "MAINSTAY__SERVER__TRACING__HEADERS__X_KEY",
                                        "k")))
                .contains(
                        new TracingSettings(
                                URI.create("http://127.0.0.1:4318/v1/traces"),
                                0.5,
                                Map.of("x-key", Secret.of("k")),
                                Optional.empty(),
                                "s"));
    }

    @Test
    void whatIsNotEncryptedLeavesThisHostOnlyWhereThatIsSaid() {
        assertThat(read("endpoint: http://localhost:4318").endpoint().getPort()).isEqualTo(4318);
        assertThat(read("endpoint: 'http://[::1]:4318'").endpoint().getPort()).isEqualTo(4318);
        refused("endpoint: http://collector:4318", "endpoint", "unencrypted", "allow-http: true");
        refused("{ endpoint: 'http://collector:4318', allow-http: false }", "unencrypted");
        assertThat(read("endpoint: http://collector:4318\nallow-http: true").endpoint())
                .hasToString("http://collector:4318/v1/traces");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "collector:4318",
                "grpc://collector:4317",
                "https://",
                "https://u:geheim@c.example",
                "https://c.example/?key=geheim",
                "https://c.example/#geheim",
                "https://c.example/ geheim"
            })
    void whatIsNoCollectorIsRefusedWithoutBeingRepeated(String endpoint) {
        refused("endpoint: '" + endpoint + "'", "server.tracing.endpoint", "no url of a collector");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "1.0, 1", "0.001, 0.001"})
    void sharesAreFromNothingToAll(String text, double share) {
        assertThat(read(HTTPS + "sample: " + text).sample()).isEqualTo(share);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-0.1", "1.1", "2", "NaN", "10%", "half", "0x1p-1", "1e-3"})
    void whatIsNoShareIsRefused(String text) {
        refused(HTTPS + "sample: " + text, "server.tracing.sample", "from 0 to 1");
    }

    @Test
    void headersAreSecretsThatCanBeSent() {
        refused(HTTPS + "headers: { X-Key: geheim }", "headers.X-Key", "is a secret");
        refused(HTTPS + "headers: { 'X Key': '${H}' }", "no name of a header");
        refused(HTTPS + "headers: { Content-Type: '${H}' }", "no name of a header");
        refused(HTTPS + "headers: { X-Key: '${TWO_LINES}' }", "headers.X-Key", "cannot be sent");
        refused(HTTPS + "headers: { X-Key: { file: none } }", "X-Key.file", "cannot be read");
    }

    @Test
    void allThatIsWrongIsToldAtOnce() {
        refused(
                "{ endpoint: nowhere, sample: 2, ca-file: a, headers: { X: geheim }, allow-http:"
                        + " maybe }",
                "4 errors",
                "tracing.endpoint",
                "tracing.sample",
                "tracing.headers.X",
                "tracing.allow-http");
        refused("sample: 1", "needs the key 'endpoint'");
        assertThatThrownBy(() -> read(HTTPS + "sampel: 1"))
                .message()
                .contains("did you mean 'sample'?");
    }
}
