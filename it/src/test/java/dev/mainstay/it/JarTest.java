package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.mainstay.it.Program.Child;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The one jar holds everything in the right order: in the tests' class path other libraries come
/// first.
class JarTest {
    private static final Path JAR = Path.of("..", "cli", "target", "mainstay.jar").toAbsolutePath();
    private static final Pattern ANSWERS = Pattern.compile("the server answers at (http://\\S+)");

    @TempDir private Path folder = Path.of("");

    @Test
    void aServerStartsFromItAnswersAndStops() throws Exception {
        assumeThat(JAR).as("`mvn verify` makes it").exists();
        Path configuration = folder.resolve("mainstay.yaml");
        Files.writeString(
                configuration,
                """
                repository: { url: "file://%1$s/repository", encryption: none }
                server: { listen: "127.0.0.1:0", state: { directory: "%1$s/state" } }
                """
                        .formatted(folder));
        Program program = new Program(folder, configuration).of(JAR);
        program.run("init");
        try (Child server = program.start("server")) {
            server.await("the server to answer", () -> ANSWERS.matcher(server.output()).find());
            Matcher url = ANSWERS.matcher(server.output());
            assertThat(url.find()).isTrue();
            HttpResponse<String> ready =
                    HttpClient.newHttpClient()
                            .send(
                                    HttpRequest.newBuilder(
                                                    URI.create(url.group(1))
                                                            .resolve("health/readiness"))
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString());
            assertThat(ready.statusCode()).as("%s", server).isEqualTo(200);
            assertThat(server.output()).contains("first token of an administrator");
            server.stop();
            assertThat(server.output()).doesNotContain("SLF4J");
        }
        Path output = folder.resolve("output-2"); // where the token is shown this once
        Files.writeString(
                output, Files.readString(output).replaceFirst("mst_[\\w-]{43}", "its token"));
    }
}
