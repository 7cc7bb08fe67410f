package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

class MetricsTest {
    private static final String SERVER = "listen: 127.0.0.1:0\nschedules: off\n";

    @TempDir Path folder = Path.of("");

    @Test
    void theyNeedALoginUnlessTheyArePublic() {
        Site site = Site.of(folder, SERVER);
        try (MainstayServer server = site.start()) {
            assertThat(site.get(server, "metrics").statusCode()).isEqualTo(401);
        }
        Site open = Site.of(folder, SERVER + "metrics: { public: true }\n");
        try (MainstayServer server = open.start()) {
            assertThat(open.get(server, "metrics").statusCode()).isEqualTo(200);
            assertThat(open.get(server, "metrics").headers().firstValue("Content-Type"))
                    .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain"));
            assertThat(open.ask(server, "POST", "metrics", "", "").statusCode()).isIn(401, 403);
        }
    }

    @Test
    void aSharedStateTellsTheSame() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            Site site =
                    Site.of(
                            folder,
                            SERVER
                                    + "metrics: { public: true }\n"
                                    + "state: { url: 'postgresql://mainstay@127.0.0.1:"
                                    + cluster.port()
                                    + "/state' }\n");
            try (MainstayServer server = site.start()) {
                String token = server.firstToken().orElseThrow().reveal();
                site.ask(
                        server,
                        "POST",
                        "api/v1/jobs",
                        token,
                        "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"full\"}");
                Await.until(
                        "the failure to be counted",
                        () ->
                                site.get(server, "metrics")
                                        .body()
                                        .contains("backup_job_failures_total{source=\"orders\"} 1.0"));
                assertThat(site.get(server, "metrics").body())
                        .contains("backup_failure_total{component=\"orders\",type=\"full\"} 1.0")
                        .contains("mainstay_repository_up 1.0", "mainstay_repository_size_bytes");
            }
        }
    }
}
