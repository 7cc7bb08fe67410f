package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.MainstayServer;
import dev.mainstay.testkit.Await;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Commands with `--server`, and a server in this process.
class RemoteServerTest {
    private static final String EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

    private final Console console = new Console();
    @TempDir private Path folder;
    @TempDir private Path elsewhere;
    private @Nullable MainstayServer running;
    private String token = "";

    private void start(String more) throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: %1$s/repository.key }
                copies:
                  second: { url: "file://%1$s/second" }
                sources:
                  orders:
                    postgres: { url: postgresql://backup@127.0.0.1:1/postgres, receiver: off }
                    schedules: off
                server:
                  listen: 127.0.0.1:0
                  state: { directory: %1$s/state }
                  schedules: off
                  jobs: { retry: { attempts: 2, first-after: 1s } }
                """
                                .formatted(folder)
                        + more);
        assertThat(console.run(folder, "init")).as(console.err()).isZero();
        running =
                MainstayServer.start(
                        new Surroundings(
                                new ConfigurationReader(Map.of())
                                        .read(folder.resolve("mainstay.yaml")),
                                Map.of(),
                                Ground.ofThisHost()));
        token = server().firstToken().orElseThrow().reveal();
    }

    private MainstayServer server() {
        return Objects.requireNonNull(running);
    }

    @AfterEach
    void stop() {
        if (running != null) {
            running.close();
        }
    }

    /// In a folder without any configuration.
    private int run(String... arguments) {
        List<String> words = new ArrayList<>(List.of(arguments));
        words.add("--server");
        words.add(server().url().toString());
        return console.run(
                elsewhere, Map.of("MAINSTAY_TOKEN", token), words.toArray(String[]::new));
    }

    private void ends(int code, String... arguments) {
        assertThat(run(arguments)).as(console.out() + console.err()).isEqualTo(code);
    }

    private JsonNode json(String... arguments) {
        List<String> words = new ArrayList<>(List.of(arguments));
        words.add("--output");
        words.add("json");
        ends(0, words.toArray(String[]::new));
        return JsonMapper.shared().readTree(console.out());
    }

    @Test
    void jobsAreStartedFollowedAndListed() throws Exception {
        start("");
        ends(0, "verify");
        assertThat(console.out()).contains("verify is done", "packs read");
        ends(0, "copy");
        assertThat(console.out()).contains("second");
        assertThat(folder.resolve("second")).isDirectory();
        ends(1, "backup", "orders", "--type", "full");
        assertThat(console.err()).contains("MS-0501", "is failed", "HINT:");
        ends(1, "backup", "ordres");
        assertThat(console.err()).contains("MS-0209", "did you mean 'orders'");
        JsonNode jobs = json("jobs").get("jobs");
        assertThat(jobs.size()).isEqualTo(3);
        String id = jobs.get(0).get("job").asString();
        assertThat(json("jobs", "show", id).get("error").asString()).isEqualTo("MS-0501");
        assertThat(json("jobs", "show", id).get("attempts").size()).isEqualTo(2);
        ends(1, "jobs", "follow", id);
        assertThat(console.err()).contains("MS-0501");
        ends(1, "jobs", "cancel", id);
        assertThat(console.err()).contains("MS-1206");
        ends(1, "jobs", "show", "none");
        assertThat(console.err()).contains("MS-1205");
        ends(2, "jobs", "burn", id);
    }

    @Test
    void whatIsThereIsToldAndWhatDestroysIsAsked() throws Exception {
        start("");
        ends(0, "backups");
        assertThat(console.out()).contains("no backups yet");
        ends(1, "backups", "show", "20260101T000000Z-00000000");
        assertThat(console.err()).contains("MS-0");
        ends(0, "expire", "--plan");
        assertThat(console.out()).contains("no backup would go");
        ends(0, "expire", "orders");
        assertThat(console.out()).contains("no backup removed");
        ends(1, "prune");
        assertThat(console.err()).contains("MS-0406", "removed for good");
        assertThat(json("confirmations").at("/confirmations/0/state").asString())
                .isEqualTo("refused");
        ends(0, "prune", "--yes");
        assertThat(console.out()).contains("prune is done", "packs");
        ends(0, "prune", "--plan");
        assertThat(console.out()).contains("no pack would be removed");
        ends(0, "usage", "--quota", "1TiB");
        assertThat(console.out()).contains("objects", "quota");
        JsonNode entries = json("audit", "list", "--limit", "3").get("entries");
        assertThat(entries.size()).isEqualTo(3);
        assertThat(entries.get(2).get("action").asString()).isEqualTo("job ended");
        assertThat(entries.get(0).get("number").asLong())
                .isLessThan(entries.get(2).get("number").asLong());
        ends(0, "audit", "list", "--who", "nobody is called so");
        assertThat(console.out()).contains("no entries yet");
        ends(1, "backups", "release", "20260101T000000Z-00000000", "--yes");
        assertThat(console.err()).contains("MS-0208");
        ends(1, "restore", "orders", "--to", "/nowhere", "--plan");
        assertThat(console.err()).contains("MS-0");
        ends(2, "restore", "orders", "--to", "/nowhere", "--start");
        assertThat(console.err()).contains("--start does not go with --server");
        ends(2, "prune", "--patience", "1d", "--yes");
        ends(2, "verify", "--scrub");
        ends(2, "backup", "orders", "--verify-changes");
    }

    @Test
    void alertsAreListedLookedAfterAndOver() throws Exception {
        start("");
        String[] id = {""};
        Await.until(
                "the alert that nothing is backed up",
                Duration.ofMinutes(2),
                () -> {
                    for (JsonNode each : json("alerts", "--state", "firing").get("alerts")) {
                        if (each.get("title").asString().contains("No backup of orders")) {
                            id[0] = each.get("alert").asString();
                        }
                    }
                    return !id[0].isEmpty();
                });
        ends(0, "alerts", "show", id[0]);
        assertThat(console.out()).contains("Nothing can be recovered.", "what to do", "firing");
        JsonNode seen = json("alerts", "acknowledge", id[0]);
        assertThat(seen.get("state").asString()).isEqualTo("acknowledged");
        assertThat(seen.get("acknowledgedBy").asString()).startsWith("token ");
        ends(0, "alerts", "resolve", id[0]);
        assertThat(console.out()).contains("resolved");
        ends(1, "alerts", "resolve", id[0]);
        ends(2, "alerts", "burn", id[0]);
        ends(2, "alerts", "--state", "burning");
    }

    @Test
    void aServerThatDemandsACertificateGetsOne() throws Exception {
        for (String name : List.of("server", "ca")) {
            openssl(
                    "req -x509 %s -days 2 -keyout %s.key -out %s.pem -subj /CN=localhost"
                            .formatted(EC, name, name));
        }
        openssl("req %s -keyout me.key -out me.csr -subj /CN=me".formatted(EC));
        openssl(
                "x509 -req -in me.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out"
                        + " me.pem");
        start("  tls: { certificate: server.pem, key: server.key, client-ca: ca.pem }\n");
        String url = "https://localhost:" + server().url().getPort();
        Map<String, String> environment = Map.of("MAINSTAY_TOKEN", token);
        List<String> jobs = List.of("jobs", "--server", url, "--server-ca", folder + "/server.pem");
        assertThat(console.run(elsewhere, environment, jobs.toArray(String[]::new))).isOne();
        assertThat(console.err()).contains("MS-1280");
        assertThat(with(environment, jobs, "--client-cert", folder + "/me.pem")).isEqualTo(2);
        assertThat(
                        with(
                                environment,
                                jobs,
                                "--client-cert",
                                folder + "/me.pem",
                                "--client-key",
                                folder + "/me.key"))
                .as(console.err())
                .isZero();
        assertThat(console.out()).contains("no jobs yet");
        assertThat(
                        with(
                                environment,
                                jobs,
                                "--client-cert",
                                folder + "/server.pem",
                                "--client-key",
                                folder + "/server.key"))
                .as("nobody whom the server believes vouches for it")
                .isOne();
        assertThat(
                        with(
                                environment,
                                jobs,
                                "--client-cert",
                                folder + "/me.pem",
                                "--client-key",
                                folder + "/me.csr"))
                .isOne();
        assertThat(console.err()).contains("MS-1280", "--client-key", "me.csr", "PKCS");
        assertThat(console.run(elsewhere, environment, "jobs", "--client-key", "x")).isEqualTo(2);
    }

    private int with(Map<String, String> environment, List<String> words, String... more) {
        List<String> all = new ArrayList<>(words);
        all.addAll(List.of(more));
        return console.run(elsewhere, environment, all.toArray(String[]::new));
    }

    private void openssl(String arguments) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(("openssl " + arguments).split(" ", -1))
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }

    @Test
    void aSecondPersonAgreesFromAnotherTerminal() throws Exception {
        start("  confirmations: { second-person: true }\n");
        String bob = made("bob");
        token = made("alice");
        Thread alice = Thread.ofPlatform().start(() -> ends(0, "prune", "--yes"));
        Console other = new Console();
        String url = server().url().toString();
        Map<String, String> environment = Map.of("MAINSTAY_TOKEN", bob);
        String[] id = {""};
        Await.until(
                "the question to be asked",
                () -> {
                    int code =
                            other.run(
                                    elsewhere,
                                    environment,
                                    "confirmations",
                                    "--server",
                                    url,
                                    "--output",
                                    "json");
                    assertThat(code).as(other.err()).isZero();
                    id[0] =
                            JsonMapper.shared()
                                    .readTree(other.out())
                                    .at("/confirmations/0/confirmation")
                                    .asString("");
                    return !id[0].isEmpty();
                });
        assertThat(
                        other.run(
                                elsewhere,
                                environment,
                                "confirmations",
                                "approve",
                                id[0],
                                "--server",
                                url))
                .isOne();
        assertThat(other.err()).contains("MS-0406", "asks for leave", "(alice)");
        assertThat(
                        other.run(
                                elsewhere,
                                environment,
                                "confirmations",
                                "approve",
                                id[0],
                                "--yes",
                                "--server",
                                url))
                .as(other.err())
                .isZero();
        alice.join();
        assertThat(console.out()).contains("prune is done");
    }

    private String made(String name) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            String body =
                    client.send(
                                    HttpRequest.newBuilder(server().url().resolve("api/v1/tokens"))
                                            .header("Authorization", "Bearer " + token)
                                            .header("Content-Type", "application/json")
                                            .POST(
                                                    HttpRequest.BodyPublishers.ofString(
                                                            "{\"name\":\"%s\",\"role\":\"operator\"}"
                                                                    .formatted(name)))
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString())
                            .body();
            return JsonMapper.shared().readTree(body).get("text").asString();
        }
    }

    @Test
    void theTokenComesFromAFileOrTheEnvironmentAndGoesNowhereInClear() throws Exception {
        start("");
        String url = server().url().toString();
        Files.writeString(elsewhere.resolve("my.token"), token + "\n");
        assertThat(console.run(elsewhere, "jobs", "--server", url, "--token-file", "my.token"))
                .as(console.err())
                .isZero();
        assertThat(console.run(elsewhere, "jobs", "--server", url)).isOne();
        assertThat(console.err()).contains("MS-1209", "MAINSTAY_TOKEN", "--token-file");
        assertThat(console.run(elsewhere, "jobs", "--token-file", "my.token")).isEqualTo(2);
        Map<String, String> wrong = Map.of("MAINSTAY_TOKEN", "mst_wrong");
        assertThat(console.run(elsewhere, wrong, "jobs", "--server", url)).isOne();
        assertThat(console.err()).contains("MS-1209").doesNotContain("mst_wrong");
        for (String bad :
                List.of(
                        "http://mainstay.example.org:8443",
                        "ftp://localhost",
                        "localhost:1",
                        "x y")) {
            assertThat(console.run(elsewhere, wrong, "jobs", "--server", bad)).as(bad).isEqualTo(2);
        }
        URI nobody = URI.create("http://127.0.0.1:1");
        assertThat(console.run(elsewhere, wrong, "jobs", "--server", nobody.toString())).isOne();
        assertThat(console.err()).contains("MS-1280", "127.0.0.1:1");
        assertThat(
                        console.run(
                                elsewhere,
                                wrong,
                                "jobs",
                                "--server",
                                "https://localhost:1",
                                "--server-ca",
                                "my.token"))
                .isOne();
        assertThat(console.err()).contains("MS-1280", "--server-ca").doesNotContain(token);
    }
}
