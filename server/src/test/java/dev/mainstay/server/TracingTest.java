package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.server.notify.Inbox;
import dev.mainstay.server.trace.Tracing;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.SecretScan;
import dev.mainstay.testkit.TestSecrets;

import io.opentelemetry.proto.trace.v1.Span;
import io.opentelemetry.proto.trace.v1.Status;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

class TracingTest {
    private static final String SERVER = "listen: 127.0.0.1:0\nschedules: off\n";
    private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";
    private static final String CALLER = "b7ad6b7169203331";
    private static final Map<String, String> PARENT =
            Map.of("traceparent", "00-" + TRACE + "-" + CALLER + "-01");
    private static final String SECRET = TestSecrets.of("tracing");

    @TempDir Path folder = Path.of("");

    private Site site(String tracing, String more) {
        return Site.of(folder, SERVER + "tracing: " + tracing + "\n" + more);
    }

    private Site site(Collector collector) {
        return site("{ endpoint: '" + collector.url() + "' }", "");
    }

    private static HttpResponse<String> backup(Site site, MainstayServer server, String token) {
        return site.askWith(
                server,
                "POST",
                "api/v1/jobs",
                token,
                "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"full\"}",
                PARENT);
    }

    private static String id(HttpResponse<String> accepted) {
        assertThat(accepted.statusCode()).as(accepted.body()).isEqualTo(202);
        return JsonMapper.shared().readTree(accepted.body()).get("id").asString();
    }

    private static void awaitEnd(Site site, MainstayServer server, String token, String job) {
        Await.until(
                "the job to fail",
                () ->
                        site.ask(server, "GET", "api/v1/jobs/" + job, token, "")
                                .body()
                                .contains("\"state\":\"failed\""));
    }

    @Test
    void aRequestIsPartOfItsCallersTraceAndTellsNothingElseOfIt() throws IOException {
        Files.writeString(folder.resolve("header.secret"), SECRET + "\n");
        try (Collector collector = Collector.open()) {
            Site site =
                    site(
                            "{ endpoint: '%s', headers: { X-Key: { file: header.secret } }, service-name: berlin }"
                                    .formatted(collector.url()),
                            "metrics: { public: true }\n");
            try (MainstayServer server = site.start()) {
                String token = server.firstToken().orElseThrow().reveal();
                site.askWith(
                        server, "GET", "api/v1/jobs?limit=7&x=" + SECRET, token, "", PARENT);
                site.ask(server, "GET", "api/v1/sources/nobody-knows-it", token, "");
                site.ask(server, "GET", SECRET, token, "");
                site.ask(server, "GET", "api/v1/jobs", SECRET, "");
                site.ask(server, SECRET.replaceAll("[^A-Za-z]", ""), "api/v1/jobs", token, "");
                site.get(server, "health/readiness");
                site.get(server, "health");
                site.get(server, "metrics");
                site.ask(server, "GET", "api/v1/schedules", token, ""); // behind all others
            }
            Collector.Seen jobs = collector.await("GET /api/v1/jobs");
            assertThat(jobs.trace()).isEqualTo(TRACE);
            assertThat(jobs.parent()).isEqualTo(CALLER);
            assertThat(jobs.span().getKind()).isEqualTo(Span.SpanKind.SPAN_KIND_SERVER);
            assertThat(jobs.attributes())
                    .isEqualTo(
                            Map.of(
                                    "http.request.method", "GET",
                                    "http.route", "/api/v1/jobs",
                                    "http.response.status_code", "200"));
            assertThat(jobs.of())
                    .containsEntry("service.name", "berlin")
                    .hasEntrySatisfying(
                            "service.instance.id", id -> assertThat(id).startsWith("server-"));
            assertThat(collector.await("GET /api/v1/sources/{source}").attributes())
                    .containsEntry("http.response.status_code", "404");
            collector.await(
                    "the refusal",
                    each ->
                            each.name().equals("GET")
                                    && "401"
                                            .equals(
                                                    each.attributes()
                                                            .get("http.response.status_code")));
            collector.await("a method that nobody knows", each -> each.name().startsWith("_OTHER"));
            collector.await("GET /api/v1/schedules");
            assertThat(collector.names()).hasSize(6).noneMatch(name -> name.contains("health"));
            assertThat(collector.headers())
                    .allSatisfy(each -> assertThat(each.get("X-key")).containsExactly(SECRET));
            collector.write(folder.resolve("received"));
            SecretScan.demandNone(folder);
            assertThat(collector.text()).contains("/api/v1/jobs").doesNotContain("nobody-knows");
        }
    }

    @Test
    void eachAttemptAtAJobIsPartOfTheTraceOfWhoAskedForIt() throws IOException {
        try (Collector collector = Collector.open()) {
            Site site =
                    site(
                            "{ endpoint: '" + collector.url() + "' }",
                            "jobs: { retry: { attempts: 2, first-after: 1s } }\n");
            String job;
            try (MainstayServer server = site.start()) {
                String token = server.firstToken().orElseThrow().reveal();
                job = id(backup(site, server, token));
                awaitEnd(site, server, token, job);
                site.ask(server, "GET", "api/v1/jobs/" + job + "/events", token, "");
            }
            Collector.Seen asked = collector.await("POST /api/v1/jobs");
            assertThat(asked.trace()).isEqualTo(TRACE);
            Collector.Seen events = collector.await("GET /api/v1/jobs/{id}/events");
            assertThat(events.attributes()).containsEntry("http.response.status_code", "200");
            assertThat(events.trace()).isNotEqualTo(TRACE);
            assertThat(collector.below(asked))
                    .allSatisfy(
                            each -> {
                                assertThat(each.name()).isEqualTo("job backup");
                                assertThat(each.span().getStatus().getCode())
                                        .isEqualTo(Status.StatusCode.STATUS_CODE_ERROR);
                            })
                    .extracting(Collector.Seen::attributes)
                    .containsExactlyInAnyOrder(
                            attempt(job, 1),
                            attempt(job, 2));
        }
    }

    private static Map<String, String> attempt(String job, int number) {
        return Map.of(
                "mainstay.job.id", job,
                "mainstay.job.kind", "backup",
                "mainstay.job.target", "orders",
                "mainstay.job.attempt", Integer.toString(number),
                "mainstay.outcome", "failed",
                "error.type", ErrorCode.SERVER_UNREACHABLE.id());
    }

    @Test
    void ofTracesThatNobodyBeganAShareIsSentAndOfOthersWhatTheCallerSays() throws IOException {
        try (Collector collector = Collector.open()) {
            Site site = site("{ endpoint: '" + collector.url() + "', sample: 0 }", "");
            try (MainstayServer server = site.start()) {
                String token = server.firstToken().orElseThrow().reveal();
                site.ask(server, "GET", "api/v1/schedules", token, "");
                site.askWith(server, "GET", "api/v1/jobs", token, "", PARENT);
            }
            collector.await("GET /api/v1/jobs");
            assertThat(collector.names()).containsExactly("GET /api/v1/jobs");
        }
    }

    @Test
    void whatIsDeliveredIsTold() throws Exception {
        try (Collector collector = Collector.open();
                Inbox inbox = Inbox.open()) {
            Files.writeString(folder.resolve("url.secret"), inbox.url());
            Site site =
                    site(
                            "{ endpoint: '" + collector.url() + "' }",
                            """
                            confirmations: { second-person: true }
                            notifications: { channels: { chat: { type: slack, url: { file: url.secret } } } }
                            """);
            try (MainstayServer server = site.start()) {
                String token = server.firstToken().orElseThrow().reveal();
                site.ask(server, "POST", "api/v1/confirmations", token, "{\"action\":\"prune\"}");
                Collector.Seen told = collector.await("notify slack");
                assertThat(told.attributes())
                        .containsEntry("mainstay.channel", "chat")
                        .containsEntry("mainstay.outcome", "sent")
                        .containsKey("mainstay.notices")
                        .doesNotContainKey("error.type");
                assertThat(inbox.bodies()).isNotEmpty();
            }
        }
    }

    @Test
    void whereNothingIsSaidNothingIsTraced() {
        Site site = Site.of(folder, SERVER);
        Set<Thread> before = Thread.getAllStackTraces().keySet(); // others may still be sending
        try (MainstayServer server = site.start()) {
            String token = server.firstToken().orElseThrow().reveal();
            awaitEnd(site, server, token, id(backup(site, server, token)));
            assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> !before.contains(thread))
                    .isNotEmpty()
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("BatchSpanProcessor"));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {500, 400, Collector.HANGS})
    void aCollectorThatDoesNotTakeThemHarmsNobody(int status) throws IOException {
        try (Collector collector = Collector.answering(status)) {
            undisturbed(site(collector));
            assertThat(collector.asked()).isPositive();
        }
    }

    @Test
    void aCollectorThatIsAwayHarmsNobody() {
        undisturbed(site("{ endpoint: 'http://127.0.0.1:1' }", ""));
    }

    private static void undisturbed(Site site) {
        long stopping;
        try (MainstayServer server = site.start()) {
            String token = server.firstToken().orElseThrow().reveal();
            String job = id(backup(site, server, token));
            long began = System.nanoTime();
            for (int i = 0; i < 200; i++) {
                assertThat(site.ask(server, "GET", "api/v1/jobs", token, "").statusCode())
                        .isEqualTo(200);
            }
            assertThat(Duration.ofNanos(System.nanoTime() - began))
                    .isLessThan(Duration.ofMinutes(1));
            awaitEnd(site, server, token, job);
            stopping = System.nanoTime();
        }
        assertThat(Duration.ofNanos(System.nanoTime() - stopping))
                .isLessThan(Duration.ofSeconds(40));
    }

    @Test
    void aServerThatStopsDoesNotWaitForItsAnswer() throws IOException {
        try (Collector collector = Collector.answering(Collector.HANGS)) {
            Tracing tracing =
                    Tracing.of(
                            site(collector).configuration().server().tracing().orElseThrow(),
                            "this",
                            Clock.systemUTC());
            for (int i = 0; i < 5000; i++) { // more than are kept
                tracing.delivery("chat", "slack", i).close();
            }
            Await.until("it to be asked", () -> collector.asked() > 0);
            long stopping = System.nanoTime();
            tracing.close();
            assertThat(Duration.ofNanos(System.nanoTime() - stopping))
                    .isLessThan(Duration.ofSeconds(8)); // it answers in ten, or never
        }
    }

    @Test
    void anAuthorityOfOnesOwnIsBelievedAndNoOther() throws Exception {
        Certificate.make(folder);
        try (Collector collector = Collector.tls(Certificate.context(folder))) {
            Site other = site(collector);
            try (MainstayServer server = other.start()) {
                other.ask(server, "GET", "api/v1/jobs", "", "");
            }
            assertThat(collector.spans()).isEmpty();
            Site site = site("{ endpoint: '" + collector.url() + "', ca-file: c.pem }", "");
            try (MainstayServer server = site.start()) {
                site.ask(server, "GET", "api/v1/jobs", "", "");
            }
            collector.await("GET");
        }
    }

    @Test
    void anAuthorityThatIsNoneIsToldAtTheStart() throws IOException {
        Files.writeString(folder.resolve("ca.pem"), "nothing");
        for (String file : List.of("ca.pem", "none.pem")) {
            Site site = site("{ endpoint: 'https://localhost:1', ca-file: " + file + " }", "");
            assertThatThrownBy(site::start)
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            wrong ->
                                    assertThat(wrong.code())
                                            .isEqualTo(ErrorCode.SERVER_CERTIFICATE))
                    .message()
                    .contains("server.tracing.ca-file", file);
        }
    }
}
