package dev.mainstay.server.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.NotificationSettings;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.Certificate;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.server.trace.Tracing;
import dev.mainstay.testkit.SettableClock;
import dev.mainstay.testkit.TestSecrets;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.subethamail.smtp.server.SMTPServer;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

class ChannelsTest {
    private static final String SECRET = TestSecrets.of("channel");

    @TempDir Path folder = Path.of("");
    private final SettableClock clock = SettableClock.at(Instant.parse("2026-03-12T12:00:00Z"));
    private final Ground ground = new Ground(clock, new Random(7));
    private StateDatabase state;
    private Receiver receiver;

    @BeforeEach
    void open() throws Exception {
        state = StateDatabase.open(new ServerState.Directory(folder.resolve("state")), Map.of());
        receiver = Receiver.plain();
    }

    @AfterEach
    void close() {
        receiver.close();
        state.close();
    }

    private NotificationSettings settings(String channels) {
        String yaml =
                """
                repository: { url: file:///r, encryption: none }
                server:
                  notifications:
                    channels:
                """
                        + channels.indent(6);
        return new ConfigurationReader(
                        Map.of(
                                "KEY",
                                SECRET,
                                "URL",
                                "http://127.0.0.1:" + receiver.port() + "/" + SECRET,
                                "DSN",
                                "http://" + SECRET + "@127.0.0.1:" + receiver.port() + "/9"))
                .parse("m.yaml", yaml, folder)
                .server()
                .watch()
                .notifications();
    }

    private record Post(NoticeTable table, Courier courier, Channels channels) {}

    private Post post(String channels) {
        Channels all = new Channels(settings(channels), ground, Duration.ofSeconds(2));
        NoticeTable table = new NoticeTable(JdbcClient.create(state.source()), ground, all);
        return new Post(table, new Courier(table, all, Tracing.off()), all);
    }

    private void tell(Post post, String channel, String subject) {
        post.table.put(
                channel, "report", Severity.HIGH, subject, "first & <second>\nline", clock.instant());
        post.courier.deliver(clock.instant());
    }

    private JsonNode body(int number) {
        return JsonMapper.shared().readTree(receiver.bodies.get(number));
    }

    private static String states(Post post) {
        return String.join(
                ", ",
                post.table.list(10).stream()
                        .map(each -> each.state() + " " + each.notice().attempts())
                        .toList());
    }

    @Test
    void slackHearsItWithItsOwnLettersEscaped() {
        Post post = post("c: { type: slack, url: \"${URL}\" }");
        tell(post, "c", "Backup of <orders>");
        assertThat(body(0).get("text").asString())
                .isEqualTo("*Backup of &lt;orders&gt;*\nfirst &amp; &lt;second&gt;\nline");
        assertThat(states(post)).isEqualTo("sent 1");
    }

    @Test
    void teamsHearsItAsAnAdaptiveCard() {
        Post post = post("c: { type: teams, url: \"${URL}\" }");
        receiver.answer("202");
        tell(post, "c", "Backup of orders");
        JsonNode attachment = body(0).get("attachments").get(0);
        assertThat(body(0).get("type").asString()).isEqualTo("message");
        assertThat(attachment.get("contentType").asString())
                .isEqualTo("application/vnd.microsoft.card.adaptive");
        JsonNode card = attachment.get("content");
        assertThat(card.get("type").asString()).isEqualTo("AdaptiveCard");
        assertThat(card.get("body").get(0).get("text").asString()).isEqualTo("Backup of orders");
        assertThat(card.get("body").get(1).get("wrap").asBoolean()).isTrue();
        assertThat(states(post)).isEqualTo("sent 1");
    }

    @Test
    void pagerDutyTriggersAcknowledgesAndResolvesTheSameIncident() throws Exception {
        Channels all =
                new Channels(
                        settings(
                                "c: { type: pagerduty, routing-key: \"${KEY}\", url: 'http://127.0.0.1:"
                                        + receiver.port()
                                        + "/v2/enqueue' }"),
                        ground,
                        Duration.ofSeconds(2));
        for (String news : List.of("fired", "acknowledged", "resolved")) {
            all.get("c")
                    .send(
                            List.of(
                                    new Notice(
                                            "n",
                                            "c",
                                            news,
                                            java.util.Optional.of("a1"),
                                            Severity.HIGH,
                                            "s",
                                            "b",
                                            clock.instant(),
                                            0)));
        }
        assertThat(List.of(0, 1, 2))
                .extracting(at -> body(at).get("event_action").asString())
                .containsExactly("trigger", "acknowledge", "resolve");
        assertThat(List.of(0, 1, 2))
                .allMatch(at -> body(at).get("dedup_key").asString().equals("mainstay-a1"))
                .allMatch(at -> body(at).get("routing_key").asString().equals(SECRET));
        assertThat(body(0).get("payload").get("severity").asString()).isEqualTo("error");
        assertThat(receiver.requests.getFirst().getRequestURI().getPath()).isEqualTo("/v2/enqueue");
    }

    @Test
    void sentryHearsItAsAnEnvelope() {
        Post post = post("c: { type: sentry, dsn: \"${DSN}\" }");
        tell(post, "c", "Backup of orders");
        List<String> lines = receiver.bodies.getFirst().lines().toList();
        JsonNode item = JsonMapper.shared().readTree(lines.get(1));
        assertThat(item.get("length").asInt())
                .isEqualTo(lines.get(2).getBytes(StandardCharsets.UTF_8).length);
        JsonNode event = JsonMapper.shared().readTree(lines.get(2));
        assertThat(event.get("level").asString()).isEqualTo("error");
        assertThat(event.get("message").get("formatted").asString()).isEqualTo("Backup of orders");
        assertThat(JsonMapper.shared().readTree(lines.get(0)).get("event_id").asString())
                .isEqualTo(event.get("event_id").asString())
                .hasSize(32);
        assertThat(receiver.requests.getFirst().getRequestURI().getPath())
                .isEqualTo("/api/9/envelope/");
        assertThat(receiver.requests.getFirst().getRequestHeaders().getFirst("X-Sentry-Auth"))
                .contains("sentry_key=" + SECRET);
    }

    @Test
    void aWebhookIsSignedWithItsTime() {
        Post post = post("c: { type: webhook, url: \"${URL}\", secret: \"${KEY}\" }");
        tell(post, "c", "Backup of orders");
        var headers = receiver.requests.getFirst().getRequestHeaders();
        String timestamp = headers.getFirst("X-Mainstay-Timestamp");
        assertThat(timestamp).isEqualTo(Long.toString(clock.instant().getEpochSecond()));
        assertThat(headers.getFirst("X-Mainstay-Signature"))
                .isEqualTo(
                        "v1="
                                + EventChannels.Webhook.signature(
                                        SECRET, timestamp + "." + receiver.bodies.getFirst()));
        // RFC 4231, test case 2
        assertThat(EventChannels.Webhook.signature("Jefe", "what do ya want for nothing?"))
                .isEqualTo("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assertThat(body(0).get("severity").asString()).isEqualTo("high");
    }

    @Test
    void whatDoesNotArriveIsTriedAgainLaterAndAfterARestart() {
        String channel = "c: { type: slack, url: \"${URL}\" }";
        Post post = post(channel);
        receiver.answer("500", "429 120", "hang");
        tell(post, "c", "x");
        assertThat(states(post)).isEqualTo("pending 1");
        clock.advance(Duration.ofSeconds(29));
        post.courier.deliver(clock.instant());
        assertThat(receiver.bodies).as("not before its time").hasSize(1);
        clock.advance(Duration.ofSeconds(1));
        Post afterwards = post(channel);
        afterwards.courier.deliver(clock.instant());
        assertThat(states(afterwards)).isEqualTo("pending 2");
        clock.advance(Duration.ofSeconds(119));
        afterwards.courier.deliver(clock.instant());
        assertThat(receiver.bodies).as("it was asked to wait").hasSize(2);
        clock.advance(Duration.ofSeconds(1));
        afterwards.courier.deliver(clock.instant());
        assertThat(states(afterwards)).isEqualTo("pending 3");
        assertThat(afterwards.table.list(1).getFirst().error().orElseThrow())
                .contains("did not answer");
        clock.advance(Duration.ofMinutes(10));
        afterwards.courier.deliver(clock.instant());
        assertThat(states(afterwards)).isEqualTo("sent 4");
        assertThat(receiver.bodies).hasSize(4);
    }

    @Test
    void whatIsRefusedForGoodIsGivenUpAndSoIsWhatFailsForADay() {
        Post post = post("c: { type: slack, url: \"${URL}\" }");
        receiver.answer("404");
        tell(post, "c", "x");
        assertThat(states(post)).isEqualTo("failed 1");
        for (int i = 0; i < 200; i++) {
            receiver.answer("500");
        }
        clock.advance(Duration.ofSeconds(1));
        post.table.put("c", "report", Severity.HIGH, "y", "b", clock.instant());
        for (int i = 0; i < 26 * 4; i++) {
            post.courier.deliver(clock.instant());
            clock.advance(Duration.ofMinutes(15));
        }
        assertThat(post.table.list(1).getFirst().state()).isEqualTo("failed");
        assertThat(post.table.list(1).getFirst().notice().attempts()).isBetween(40, 60);
    }

    @Test
    void oneChannelThatFailsKeepsNobodyFromTheOthers() {
        Post post =
                post(
                        """
                        bad: { type: slack, url: "${URL}" }
                        good: { type: slack, url: "${URL}" }
                        """);
        receiver.answer("500");
        post.table.put("bad", "report", Severity.HIGH, "x", "b", clock.instant());
        clock.advance(Duration.ofSeconds(1));
        tell(post, "good", "y");
        assertThat(post.table.list(10))
                .extracting(each -> each.notice().channel() + " " + each.state())
                .containsExactlyInAnyOrder("bad pending", "good sent");
    }

    @Test
    void severalAreOneMessageForPeople() {
        Post post = post("c: { type: slack, url: \"${URL}\" }");
        post.table.put("c", "report", Severity.HIGH, "one", "b", clock.instant());
        tell(post, "c", "two");
        assertThat(receiver.bodies).hasSize(1);
        assertThat(body(0).get("text").asString()).contains("*one*", "*two*");
        assertThat(states(post)).isEqualTo("sent 1, sent 1");
    }

    @Test
    void aCertificateThatNobodyVouchesForOrOfAnotherHostIsRefused() throws Exception {
        Certificate.make(folder);
        try (Receiver tls = Receiver.tls(folder)) {
            refused("https://localhost:" + tls.port() + "/x", "");
            trusted("https://localhost:" + tls.port() + "/x", "ca-file: c.pem");
            refused("https://127.0.0.1:" + tls.port() + "/x", "ca-file: c.pem");
            assertThat(tls.bodies).hasSize(1);
        }
    }

    private Channels one(String url, String more) {
        NotificationSettings settings =
                new ConfigurationReader(Map.of("URL", url))
                        .parse(
                                "m.yaml",
                                """
                                repository: { url: file:///r, encryption: none }
                                server:
                                  notifications:
                                    channels:
                                      c: { type: slack, url: "${URL}", %s }
                                """
                                        .formatted(more),
                                folder)
                        .server()
                        .watch()
                        .notifications();
        return new Channels(settings, ground, Duration.ofSeconds(5));
    }

    private void trusted(String url, String more) {
        one(url, more).test("c");
    }

    private void refused(String url, String more) {
        assertThatThrownBy(() -> one(url, more).test("c"))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed ->
                                assertThat(failed.code()).isEqualTo(ErrorCode.CHANNEL_FAILED));
    }

    @Test
    void mailGoesByTlsOrNotAtAll() throws Exception {
        List<String> mails = Collections.synchronizedList(new ArrayList<>());
        SMTPServer server =
                SMTPServer.port(0)
                        .bindAddress(java.net.InetAddress.getLoopbackAddress())
                        .messageHandler(
                                (_, from, to, data) ->
                                        mails.add(
                                                from
                                                        + " "
                                                        + to
                                                        + "\n"
                                                        + new String(data, StandardCharsets.UTF_8)))
                        .build();
        server.start();
        try {
            String channel =
                    "c: { type: email, host: 127.0.0.1, port: %d, from: m@example.org, to: [o@example.org], tls: %s }";
            Post plain = post(channel.formatted(server.getPortAllocated(), "none"));
            plain.table.put("c", "report", Severity.HIGH, "Größe", "zwei", clock.instant());
            tell(plain, "c", "second");
            assertThat(mails).hasSize(1);
            assertThat(mails.getFirst())
                    .contains("m@example.org o@example.org", "Auto-Submitted: auto-generated")
                    .contains("zwei", "second", "first & <second>");
            clock.advance(Duration.ofSeconds(1));
            Post starttls = post(channel.formatted(server.getPortAllocated(), "starttls"));
            tell(starttls, "c", "never in clear");
            assertThat(mails).as("the server does not speak TLS").hasSize(1);
            assertThat(starttls.table.list(1).getFirst().error().orElseThrow())
                    .contains("STARTTLS");
        } finally {
            server.stop();
        }
    }

    @Test
    void noSecretIsInWhatIsRecordedOrPrinted() {
        Post post =
                post(
                        """
                        a: { type: slack, url: "${URL}" }
                        b: { type: webhook, url: "${URL}", secret: "${KEY}" }
                        d: { type: sentry, dsn: "${DSN}" }
                        """);
        receiver.answer("500", "404", "500");
        for (String channel : List.of("a", "b", "d")) {
            tell(post, channel, "x");
        }
        assertThat(post.table.list(10).toString()).doesNotContain(SECRET);
        assertThat(settings("a: { type: slack, url: \"${URL}\" }").toString())
                .doesNotContain(SECRET);
        receiver.close();
        assertThatThrownBy(() -> post.channels.test("a"))
                .satisfies(failed -> assertThat(failed.toString()).doesNotContain(SECRET));
    }

    @Test
    void secretsDoNotStandInTheFileAndAddressesAreSafe() {
        for (String wrong :
                List.of(
                        "c: { type: slack, url: 'https://hooks.slack.com/x' }",
                        "c: { type: pagerduty, routing-key: abc }",
                        "c: { type: webhook, url: \"${KEY}\", secret: \"${KEY}\" }",
                        "c: { type: pager }",
                        "c: { type: email, host: mail.example.org, tls: none, from: a@b, to: c@d }")) {
            assertThatThrownBy(() -> settings(wrong))
                    .as(wrong)
                    .isInstanceOf(MainstayException.class)
                    .satisfies(failed -> assertThat(failed.toString()).doesNotContain(SECRET));
        }
    }
}
