package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.server.notify.Inbox;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// That watching itself works: something is wrong, and somebody hears of it.
class AlertsServerTest {
    @TempDir Path folder = Path.of("");

    private String settings(Inbox inbox) throws Exception {
        Files.writeString(folder.resolve("url"), inbox.url());
        return """
        listen: 127.0.0.1:0
        schedules: off
        notifications: { channels: { chat: { type: slack, url: { file: url } } } }
        alerts: { group-wait: 0s }
        """;
    }

    @Test
    void anAlertIsRaisedArrivesAndIsLookedAfter() throws Exception {
        try (Inbox inbox = Inbox.open()) {
            Site site = Site.of(folder, settings(inbox));
            try (MainstayServer server = site.start()) {
                lookedAfter(site, server, inbox);
            }
        }
    }

    @Test
    void onASharedStateEachIsToldOnce() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST);
                Inbox inbox = Inbox.open()) {
            cluster.sql("CREATE ROLE mainstay LOGIN", "CREATE DATABASE state OWNER mainstay");
            Site site =
                    Site.of(
                            folder,
                            settings(inbox)
                                    + "state: { url: 'postgresql://mainstay@127.0.0.1:"
                                    + cluster.port()
                                    + "/state' }\n");
            try (MainstayServer server = site.start();
                    MainstayServer _ = site.start()) {
                lookedAfter(site, server, inbox);
                assertThat(
                                inbox.bodies().stream()
                                        .filter(body -> body.contains("[HIGH] No backup of orders")))
                        .hasSize(1);
            }
        }
    }

    private static void lookedAfter(Site site, MainstayServer server, Inbox inbox) {
        String token = server.firstToken().orElseThrow().reveal();
        Await.until(
                "somebody to hear that nothing is backed up",
                Duration.ofMinutes(2),
                () -> inbox.bodies().stream().anyMatch(body -> body.contains("No backup of orders")));
        JsonNode alerts =
                JsonMapper.shared()
                        .readTree(
                                site.ask(server, "GET", "api/v1/alerts?state=firing", token, "")
                                        .body())
                        .get("alerts");
        JsonNode overdue = alerts.get(0);
        for (JsonNode each : alerts) {
            overdue = each.get("rule").asString().equals("backup-overdue") ? each : overdue;
        }
        assertThat(overdue.get("meaning").asString()).isEqualTo("Nothing can be recovered.");
        String path = "api/v1/alerts/" + overdue.get("id").asString();
        assertThat(site.ask(server, "POST", path + "/acknowledge", token, "").body())
                .contains("\"state\":\"acknowledged\"", "\"acknowledgedBy\":\"token ");
        assertThat(site.ask(server, "POST", path + "/resolve", token, "").statusCode())
                .isEqualTo(200);
        assertThat(site.ask(server, "POST", path + "/resolve", token, "").statusCode())
                .isEqualTo(409);
        Await.until(
                "somebody to hear that it is over",
                () -> inbox.bodies().stream().anyMatch(body -> body.contains("[RESOLVED]")));
        assertThat(site.ask(server, "GET", "api/v1/notifications/deliveries", token, "").body())
                .contains("\"state\":\"sent\"")
                .doesNotContain(inbox.url());
        assertThat(
                        site.ask(server, "POST", "api/v1/notifications/chat/test", token, "")
                                .statusCode())
                .isEqualTo(204);
        assertThat(inbox.bodies()).anyMatch(body -> body.contains("[TEST]"));
        assertThat(
                        site.ask(server, "POST", "api/v1/notifications/chatt/test", token, "")
                                .statusCode())
                .isEqualTo(404);
        assertThat(site.ask(server, "GET", "api/v1/reports/daily", token, "").body())
                .contains("\"reportDate\"", "\"overallHealth\":\"", "orders");
        assertThat(
                        site.ask(server, "GET", "api/v1/reports/daily/page", token, "")
                                .headers()
                                .firstValue("Content-Type")
                                .orElseThrow())
                .startsWith("text/html");
    }
}
