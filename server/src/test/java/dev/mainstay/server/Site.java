package dev.mainstay.server;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.testkit.SecretScan;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// A configuration with a repository in a folder, and requests to a server that has it.
final class Site {
    final Path folder;
    private final HttpClient client = HttpClient.newHttpClient();
    private final String configuration;

    private Site(Path folder, String configuration) {
        this.folder = folder;
        this.configuration = configuration;
    }

    /// One that was not made yet.
    static Site none() {
        return new Site(Path.of(""), "");
    }

    /// @param server the lines of the section `server`; the state is in the folder unless they say
    ///   otherwise
    static Site of(Path folder, String server) {
        return of(folder, "", server);
    }

    /// One that protects `stock` as well.
    static Site ofTwoSources(Path folder, String server) {
        return of(
                folder,
                "  stock:\n    postgres: { url: postgresql://backup@127.0.0.1:1/postgres, receiver: off"
                        + " }\n",
                server);
    }

    private static Site of(Path folder, String sources, String server) {
        String limits =
                server.contains("limits:")
                        ? ""
                        : "  limits: { requests-per-minute: 1000000, refusals-per-minute: 1000000 }\n";
        String state = server.contains("state:") ? "" : "  state: { directory: state }\n";
        String jobs = server.contains("jobs:") ? "" : "  jobs: { retry: off }\n";
        String yaml =
                """
                repository:
                  url: file://%s/repository
                  key: { file: repository.key }
                sources:
                  orders:
                    postgres: { url: postgresql://backup@127.0.0.1:1/postgres, receiver: off }
                """
                                .formatted(folder)
                        + sources
                        + "server:\n"
                        + server.indent(2)
                        + limits
                        + jobs
                        + state;
        Site site = new Site(folder, yaml);
        if (!Files.exists(folder.resolve("repository"))) {
            RepositoryAccess.create(
                            site.configuration().repository(), site.surroundings().ground())
                    .close();
        }
        return site;
    }

    Configuration configuration() {
        return new ConfigurationReader(Map.of()).parse("m.yaml", configuration, folder);
    }

    Surroundings surroundings() {
        return new Surroundings(configuration(), Map.of(), Ground.ofThisHost());
    }

    MainstayServer start() {
        return MainstayServer.start(surroundings());
    }

    /// @param token empty for none
    HttpResponse<String> ask(
            MainstayServer server, String method, String path, String token, String body) {
        return askWith(server, method, path, token, body, Map.of());
    }

    /// @param headers more of them
    HttpResponse<String> askWith(
            MainstayServer server,
            String method,
            String path,
            String token,
            String body,
            Map<String, String> headers) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(server.url().resolve(path))
                        .header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        headers.forEach(request::header);
        return send(request.build());
    }

    HttpResponse<String> get(MainstayServer server, String path) {
        return send(HttpRequest.newBuilder(server.url().resolve(path)).build());
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            HttpResponse<String> answer =
                    client.send(request, HttpResponse.BodyHandlers.ofString());
            String all = answer.headers().map() + answer.body();
            SecretScan.demandNoneIn("the answer to " + request.uri().getPath(), all);
            return answer;
        } catch (IOException | InterruptedException broken) {
            throw new AssertionError(request.uri().toString(), broken);
        }
    }
}
