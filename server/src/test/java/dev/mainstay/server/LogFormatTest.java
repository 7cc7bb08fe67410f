package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.format.Json;
import dev.mainstay.testkit.ServerDirectory;

import org.junit.jupiter.api.Test;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

class LogFormatTest {
    @Test
    void eachLineIsAnObject() throws Exception {
        try (ServerDirectory folder = ServerDirectory.create()) {
            Path file = folder.path().resolve("mainstay.yaml");
            Files.writeString(
                    file,
                    """
                    repository: { url: "file://%s/repository", encryption: none }
                    sources:
                      orders: { schedules: off, postgres: { url: postgresql://a@127.0.0.1:1/a, receiver: { spool: spool } } }
                    server:
                      listen: 127.0.0.1:0
                      state: { directory: state }
                      log: json
                    """
                            .formatted(folder.path()));
            RepositoryAccess.create(
                            new ConfigurationReader(Map.of()).read(file).repository(),
                            Ground.ofThisHost())
                    .close();
            List<String> told = new ArrayList<>();
            ServerProcess server = ServerProcess.start(file, folder.path().resolve("output"));
            server.await("MS-0501");
            server.close();
            for (String line : server.log().lines().toList()) {
                if (!line.equals("server started") && !line.equals("server stopped")) {
                    Json object = Json.parse(line, line.getBytes(StandardCharsets.UTF_8));
                    assertThat(object.string("level")).isIn("INFO", "WARN", "ERROR");
                    told.add(object.string("formattedMessage"));
                }
            }
            assertThat(told).anySatisfy(each -> assertThat(each).contains("MS-0501"));
        }
    }
}
