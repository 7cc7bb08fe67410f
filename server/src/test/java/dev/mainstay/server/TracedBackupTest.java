package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.format.Json;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import io.opentelemetry.proto.trace.v1.Status;

import org.junit.jupiter.api.Test;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/// What a backup looks like in a trace, and what the log says of traces.
class TracedBackupTest {
    private final ServerDirectory folder = ServerDirectory.create();

    private Path configuration(String url, String server) throws Exception {
        Path file = folder.path().resolve("mainstay.yaml");
        Files.writeString(
                file,
                """
                repository: { url: "file://%s/repository", key: { file: repository.key }, compression: "zstd:1" }
                sources:
                  orders:
                    postgres: { url: "%s", receiver: { spool: spool, status-interval: 100ms, ship-interval: 200ms } }
                    schedules: { incremental: { cron: "* * * * *", jitter: 0s }, full: off, expire: off, verify: off }
                server:
                  listen: 127.0.0.1:0
                  state: { directory: state }
                  schedules: off
                %s
                """
                        .formatted(folder.path(), url, server.indent(2)));
        Configuration read = new ConfigurationReader(Map.of()).read(file);
        RepositoryAccess.create(read.repository(), Ground.ofThisHost()).close();
        return file;
    }

    @Test
    void itsPhasesAreParts() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST);
                Collector collector = Collector.open()) {
            Path file =
                    configuration(
                            "postgresql://postgres@127.0.0.1:" + cluster.port() + "/postgres",
                            "tracing: { endpoint: '" + collector.url() + "' }");
            try (ServerProcess server =
                    ServerProcess.start(
                            file,
                            folder.path().resolve("output"),
                            new ServerProcess.Time(Instant.now(), 10))) {
                server.await(" is done");
                collector.await("job backup");
            }
            Collector.Seen attempt = collector.await("job backup");
            assertThat(attempt.attributes())
                    .containsEntry("mainstay.job.target", "orders")
                    .containsEntry("mainstay.job.attempt", "1")
                    .containsEntry("mainstay.outcome", "done")
                    .doesNotContainKey("error.type");
            assertThat(attempt.parent()).as("nobody asked for it").isEmpty();
            assertThat(attempt.span().getStatus().getCode())
                    .isEqualTo(Status.StatusCode.STATUS_CODE_UNSET);
            List<Collector.Seen> phases = collector.below(attempt);
            assertThat(phases)
                    .extracting(Collector.Seen::name)
                    .contains("backing up orders", "waiting for WAL of orders");
            for (Collector.Seen phase : phases) {
                assertThat(phase.span().getStartTimeUnixNano())
                        .isGreaterThanOrEqualTo(attempt.span().getStartTimeUnixNano());
                assertThat(phase.span().getEndTimeUnixNano())
                        .isLessThanOrEqualTo(attempt.span().getEndTimeUnixNano());
            }
            assertThat(
                            phases.stream()
                                    .filter(each -> each.name().equals("backing up orders"))
                                    .mapToLong(
                                            each ->
                                                    Long.parseLong(
                                                            each.attributes().get("mainstay.bytes"))))
                    .allMatch(bytes -> bytes > 1 << 20);
        }
    }

    @Test
    void theLogNamesTracesAndSaysOnceThatTheyDoNotArriveAndOnceThatTheyDo() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path file =
                configuration(
                        "postgresql://postgres@127.0.0.1:1/postgres",
                        "log: json\njobs: { retry: off }\ntracing: { endpoint: 'http://127.0.0.1:" + port + "' }");
        String lost = "traces do not arrive at 127.0.0.1 (ConnectException)";
        try (ServerProcess server =
                ServerProcess.start(
                        file,
                        folder.path().resolve("output"),
                        new ServerProcess.Time(Instant.now(), 30))) {
            server.await(lost);
            int jobs = failures(server);
            Await.until("more jobs", () -> failures(server) > jobs + 1); // each a span
            try (Collector collector = Collector.at(port)) {
                server.await("traces arrive at 127.0.0.1 again");
                String trace = collector.await("job backup").trace();
                server.await("\"traceId\":\"" + trace + "\"");
            }
        }
        String log = Files.readString(folder.path().resolve("output"));
        assertThat(log).containsOnlyOnce(lost).doesNotContain("opentelemetry");
        for (String line : log.lines().toList()) {
            if (!line.startsWith("server st")) {
                Json.parse(line, line.getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static int failures(ServerProcess server) throws Exception {
        return (int) server.log().lines().filter(line -> line.contains("is failed")).count();
    }
}
