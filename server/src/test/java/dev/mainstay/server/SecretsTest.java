package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jwt.JWTClaimsSet;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.TokenTable;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.SecretScan;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.TestSecrets;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Secrets of every kind go in, through all that can go right and wrong; none comes out: not in an
/// answer, a log, the arguments of the process, the state or the repository.
class SecretsTest {
    private static final String PASSPHRASE = TestSecrets.of("passphrase");
    private static final String SOURCE_PASSWORD = TestSecrets.of("source-password");
    private static final String STATE_PASSWORD = TestSecrets.of("state-password");
    private static final String OTHER_PASSWORD = TestSecrets.of("other-password");
    private static final String S3_KEY = TestSecrets.of("S3/+abc");
    private static final String WRONG_TOKEN = "mst_" + TestSecrets.of("wrong-token");
    private static final String IN_QUERY = TestSecrets.of("in-query");
    private static final String IN_PATH = TestSecrets.of("in-path");
    private static final String BASIC = 
            Base64.getEncoder()
                    .encodeToString(
                            ("marked:" + TestSecrets.of("basic")).getBytes(StandardCharsets.UTF_8));

    private final ServerDirectory folder = ServerDirectory.create();
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<String> answers = new ArrayList<>();
    private String url = "";

    private Path configuration(String name, String state, int port, String issuer)
            throws IOException {
        Path file = folder.path().resolve(name);
        Files.writeString(
                file,
                """
                repository:
                  url: file://%1$s/repository
                  key: { passphrase: %2$s }
                copies:
                  offsite:
                    url: s3://bucket/prefix
                    endpoint: https://127.0.0.1:1
                    region: us-east-1
                    access-key-id: AKIDMARKED
                    secret-access-key: %3$s
                sources:
                  orders:
                    postgres:
                      url: postgresql://backup@127.0.0.1:1/postgres
                      password: %4$s
                      receiver: off
                    schedules: off
                  stock:
                    postgres:
                      url: postgresql://backup:%4$s@127.0.0.1:1/postgres
                      receiver: off
                    schedules: off
                server:
                  listen: 127.0.0.1:%5$d
                  schedules: off
                  state: %6$s
                  jobs: { retry: { attempts: 2, first-after: 1s } }
                  oidc: { issuer: %7$s, audience: mainstay }
                """
                        .formatted(
                                folder.path(),
                                PASSPHRASE,
                                S3_KEY,
                                SOURCE_PASSWORD,
                                port,
                                state,
                                issuer));
        return file;
    }

    private String ask(String method, String path, String authorization, String body)
            throws IOException, InterruptedException {
        return ask(method, path, authorization, body, "");
    }

    private String ask(
            String method, String path, String authorization, String body, String confirmed)
            throws IOException, InterruptedException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(url + path))
                        .header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (!confirmed.isEmpty()) {
            request.header("Confirmation-Token", confirmed);
        }
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        HttpResponse<String> answer =
                client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        answers.add(answer.statusCode() + " " + answer.headers().map() + "\n" + answer.body());
        return answer.body();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private String confirmation = "";

    /// Where none is supposed to be, its files are looked through as well.
    @AfterEach
    void delete() {
        folder.close();
    }

    @Test
    void noneOfThemComesOutOfAServerOfItsOwn() throws Exception {
        try (TestIssuer issuer = new TestIssuer()) {
            Path place = folder.path().resolve("state");
            Map<String, String> outputs =
                    noneOfThemComesOut(
                            new ServerState.Directory(place),
                            "{ directory: %s }".formatted(place),
                            issuer);
            assertThat(files(place)).contains("begun", "MS-0501");
            outputs.put("state", files(place));
            demandNone(outputs);
            plant(place);
            assertThat(SecretScan.of(place)).isNotEmpty();
            Files.delete(place.resolve("state.mv.db"));
        }
    }

    /// What would be there if the product left it: so that looking for it is known to find it.
    private static void plant(Path place) {
        try (StateDatabase database =
                StateDatabase.open(new ServerState.Directory(place), Map.of())) {
            JdbcClient jdbc = JdbcClient.create(database.source());
            jdbc.sql("update job set message = :secret")
                    .param("secret", "cannot log in with " + SOURCE_PASSWORD)
                    .update();
        }
    }

    @Test
    void noneOfThemComesOutOfServersThatShareAState() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST);
                TestIssuer issuer = new TestIssuer()) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            String place = "127.0.0.1:" + cluster.port() + "/state";
            ServerState.Shared state =
                    new ServerState.Shared("postgresql://mainstay@" + place, Optional.empty());
            Map<String, String> outputs =
                    noneOfThemComesOut(
                            state,
                            "{ url: postgresql://mainstay@%s, password: %s }"
                                    .formatted(place, STATE_PASSWORD),
                            issuer);
            outputs.put("state", dump(state));
            assertThat(outputs.get("state")).contains("begun", "MS-0501");
            demandNone(outputs);
        }
    }

    private Map<String, String> known = Map.of();

    /// @param settings as the configuration says it
    private Map<String, String> noneOfThemComesOut(
            ServerState state, String settings, TestIssuer issuer) throws Exception {
        int port = freePort();
        url = "http://127.0.0.1:" + port + "/";
        Path file = configuration("good.yaml", settings, port, issuer.url());
        Configuration configuration = new ConfigurationReader(Map.of()).read(file);
        RepositoryAccess.create(configuration.repository(), Ground.ofThisHost()).close();
        TokenTable.Issued token = token(state);
        Map<String, String> outputs = new LinkedHashMap<>();
        String good = issuer.token(issuer.claims().claim("roles", "operator").build());
        String bad = issuer.forged(issuer.claims().build());
        String made;
        Path output = folder.path().resolve("output");
        try (ServerProcess server = ServerProcess.start(file, output)) {
            made = everything(token.text().reveal(), good, bad, issuer.claims().build(), issuer);
            outputs.put(
                    "arguments", Files.readString(Path.of("/proc/" + server.pid() + "/cmdline")));
        }
        outputs.put("log", Files.readString(output));
        outputs.put("failing starts", failingStarts(issuer.url()));
        outputs.put("answers", String.join("\n", withoutWhatWasMade(made)));
        outputs.put("repository", files(folder.path().resolve("repository")));
        assertThat(outputs.get("log")).contains("begins: backup orders", "server stopped");
        assertThat(outputs.get("failing starts")).contains("MS-12").contains("127.0.0.1:1");
        known = secrets(token.text(), good, bad, made);
        return outputs;
    }

    private void demandNone(Map<String, String> outputs) {
        known.forEach(
                (what, secret) ->
                        outputs.forEach(
                                (where, text) ->
                                        assertThat(text.contains(secret))
                                                .as(what + " in " + where)
                                                .isFalse()));
    }

    private Map<String, String> secrets(
            Secret token, String good, String bad, String made) {
        Map<String, String> secrets = new LinkedHashMap<>();
        secrets.put("the passphrase", PASSPHRASE);
        secrets.put("a source's password", SOURCE_PASSWORD);
        secrets.put("the state's password", STATE_PASSWORD);
        secrets.put("the password of a state that is not there", OTHER_PASSWORD);
        secrets.put("the key of S3", S3_KEY);
        secrets.put("a wrong token", WRONG_TOKEN);
        secrets.put("a token", token.reveal());
        secrets.put("a token that was made", made);
        secrets.put("a confirmation", confirmation);
        secrets.put("a person's token", good);
        secrets.put("a forged token", bad);
        secrets.put("the signature of a person's token", good.substring(good.lastIndexOf('.')));
        secrets.put("a query", IN_QUERY);
        secrets.put("a path", IN_PATH);
        secrets.put("basic authentication", BASIC);
        return secrets;
    }

    private static TokenTable.Issued token(ServerState state) {
        try (StateDatabase database = StateDatabase.open(state, Map.of())) {
            return new TokenTable(JdbcClient.create(database.source()), Ground.ofThisHost())
                    .issue("marked", Role.ADMINISTRATOR, Optional.empty(), Optional.empty());
        }
    }

    /// @return the text of a token that was made
    private String everything(
            String token, String good, String bad, JWTClaimsSet claims, TestIssuer issuer)
            throws Exception {
        String bearer = "Bearer " + token;
        ask("GET", "api/v1/jobs", bearer, "");
        ask("GET", "api/v1/jobs", "Bearer " + WRONG_TOKEN, "");
        ask("GET", "api/v1/jobs", "Bearer " + good, "");
        ask("GET", "api/v1/jobs", "Bearer " + bad, "");
        ask("GET", "api/v1/jobs", "Basic " + BASIC, "");
        ask("GET", "api/v1/jobs?access_token=" + IN_QUERY, "", "");
        ask("GET", IN_PATH, "", "");
        ask("GET", IN_PATH, bearer, "");
        ask("DELETE", "api/v1/tokens/none?x=" + IN_QUERY, bearer, "");
        ask("POST", "api/v1/jobs?x=" + IN_QUERY, bearer, "{");
        ask("PUT", "api/v1/jobs", bearer, "{}");
        String body = ask("POST", "api/v1/tokens", bearer, "{\"name\":\"n\",\"role\":\"viewer\"}");
        String made = body.replaceAll("(?s).*\"text\":\"([^\"]+)\".*", "$1");
        for (String job :
                List.of(
                        "{\"kind\":\"backup\",\"target\":\"orders\"}",
                        "{\"kind\":\"backup\",\"target\":\"stock\"}",
                        "{\"kind\":\"copy\",\"target\":\"offsite\"}",
                        "{\"kind\":\"verify\"}")) {
            ask("POST", "api/v1/jobs", bearer, job);
        }
        awaitJobs(bearer);
        String confirmed = ask("POST", "api/v1/confirmations", bearer, "{\"action\":\"prune\"}");
        confirmation = confirmed.replaceAll("(?s).*\"token\":\"([^\"]+)\".*", "$1");
        assertThat(confirmation).startsWith("msc_");
        for (int i = 0; i < 2; i++) { // the second is refused
            ask("POST", "api/v1/jobs", bearer, "{\"kind\":\"prune\"}", confirmation);
        }
        awaitJobs(bearer);
        issuer.close();
        ask("GET", "api/v1/jobs", "Bearer " + issuer.unknown(claims), "");
        for (String path :
                List.of("jobs", "audit", "tokens", "receivers", "schedules", "jobs/none")) {
            ask("GET", "api/v1/" + path, bearer, "");
        }
        ask("GET", "api/openapi.json", "", "");
        ask("GET", "health/readiness", "", "");
        ask("GET", "metrics", bearer, "");
        return made;
    }

    private void awaitJobs(String bearer) {
        Await.until(
                "all jobs to end",
                () -> {
                    String open =
                            quietly("api/v1/jobs?state=queued", bearer)
                                    + quietly("api/v1/jobs?state=running", bearer);
                    return !open.contains("\"id\"");
                });
    }

    private String quietly(String path, String bearer) {
        try {
            return ask("GET", path, bearer, "");
        } catch (IOException | InterruptedException broken) {
            throw new AssertionError(broken);
        }
    }

    /// It is answered once, to who made it.
    private List<String> withoutWhatWasMade(String made) {
        for (String once : List.of(made, confirmation)) {
            assertThat(answers.stream().filter(each -> each.contains(once)).count()).isOne();
        }
        return answers.stream()
                .filter(each -> !each.contains(made) && !each.contains(confirmation))
                .toList();
    }

    /// States that cannot be opened, and what is said of them.
    private String failingStarts(String issuer) throws IOException {
        StringBuilder said = new StringBuilder();
        for (String state :
                List.of(
                        "{ url: postgresql://mainstay@127.0.0.1:1/state, password: %s }",
                        "{ url: postgresql://mainstay:%s@127.0.0.1:1/state }",
                        "{ url: postgresql://mainstay@127.0.0.1:1/state?password=%s }")) {
            Path file =
                    configuration(
                            "bad.yaml", state.formatted(OTHER_PASSWORD), freePort(), issuer);
            try {
                MainstayServer.start(
                                new Surroundings(
                                        new ConfigurationReader(Map.of()).read(file),
                                        Map.of(),
                                        Ground.ofThisHost()))
                        .close();
            } catch (RuntimeException failed) {
                for (Throwable each = failed; each != null; each = each.getCause()) {
                    said.append(each).append('\n');
                    if (each instanceof dev.mainstay.base.MainstayException known) {
                        said.append(known.code().id()).append(' ').append(known.hint());
                    }
                }
            }
        }
        return said.toString();
    }

    /// Every row of every table, as text.
    private static String dump(ServerState state) {
        try (StateDatabase database = StateDatabase.open(state, Map.of())) {
            JdbcClient jdbc = JdbcClient.create(database.source());
            StringBuilder all = new StringBuilder();
            for (String table :
                    jdbc.sql(
                                    """
                                    select table_name from information_schema.tables
                                    where table_schema = 'public'
                                    """)
                            .query(String.class)
                            .list()) {
                jdbc.sql("select cast(t as text) from " + table + " t")
                        .query(String.class)
                        .list()
                        .forEach(row -> all.append(table).append(row).append('\n'));
            }
            return all.toString();
        }
    }

    private static String files(Path folder) throws IOException {
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                all.append(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
        }
        return all.toString();
    }
}
