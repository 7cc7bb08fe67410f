package dev.mainstay.server;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.repository.Ground;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What the launcher runs once to make the start cache of servers (JEP 514): one that starts, is asked a little, and stops.
/// Nothing is kept.
final class ServerTraining {
    private static final List<String> PATHS =
            List.of(
                    "health/readiness",
                    "metrics",
                    "api/openapi.json",
                    "api/v1/jobs",
                    "api/v1/sources",
                    "api/v1/sources/training",
                    "api/v1/sources/training/backups",
                    "api/v1/schedules",
                    "api/v1/alerts",
                    "api/v1/audit",
                    "api/v1/dashboard");

    private ServerTraining() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("mainstay-training");
        try {
            run(folder);
        } finally {
            remove(folder);
        }
    }

    /// What each request was answered with.
    static List<Integer> run(Path folder) throws IOException, InterruptedException {
        Surroundings surroundings =
                new Surroundings(
                        new ConfigurationReader(Map.of())
                                .parse(
                                        "training",
                                        """
                                        repository:
                                          url: file://%s/repository
                                          key: { file: repository.key }
                                        sources:
                                          training: { schedules: off, postgres: { url: "postgresql://a@127.0.0.1:1/a", receiver: off } }
                                        server:
                                          listen: 127.0.0.1:0
                                          state: { directory: state }
                                        """
                                                .formatted(folder),
                                        folder),
                        Map.of(),
                        Ground.ofThisHost());
        RepositoryAccess.create(
                        surroundings.configuration().repository(), surroundings.ground())
                .close();
        List<Integer> answers = new ArrayList<>();
        try (MainstayServer server = MainstayServer.start(surroundings);
                HttpClient client = HttpClient.newHttpClient()) {
            String token =
                    server.firstToken()
                            .map(Secret::reveal)
                            .orElseThrow(
                                    () -> new IllegalStateException("a new state has a token"));
            for (String path : PATHS) {
                answers.add(
                        client.send(
                                        HttpRequest.newBuilder(server.url().resolve(path))
                                                .header("Authorization", "Bearer " + token)
                                                .build(),
                                        HttpResponse.BodyHandlers.ofString())
                                .statusCode());
            }
        }
        return answers;
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
