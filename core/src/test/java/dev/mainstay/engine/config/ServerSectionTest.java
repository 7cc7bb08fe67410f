package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class ServerSectionTest {
    @TempDir Path folder = Path.of("");

    private ServerSettings read(String keys) {
        String yaml =
                "repository: { url: file:///r, encryption: none }\nserver:\n" + keys.indent(2);
        return new ConfigurationReader(Map.of("P", "geheim"))
                .parse("m.yaml", yaml, folder)
                .server();
    }

    private void refused(String keys, String... parts) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOf(MainstayException.class)
                .message()
                .contains(parts);
    }

    @Test
    void withoutTheSectionItListensToThisHostAlone() {
        ServerSettings settings =
                new ConfigurationReader(Map.of())
                        .parse("m.yaml", "repository: { url: file:///r }", folder)
                        .server();
        assertThat(settings).isEqualTo(ServerSettings.defaults());
        assertThat(settings.host()).isEqualTo("127.0.0.1");
    }

    @Test
    void everyKeyIsRead() {
        ServerSettings settings =
                read(
                        """
                        listen: "[::]:9443"
                        tls: { certificate: server.pem, key: server.key }
                        state: { url: postgresql://mainstay@db/mainstay, password: "${P}" }
                        """);
        assertThat(settings)
                .isEqualTo(
                        new ServerSettings(
                                "::",
                                9443,
                                Optional.of(
                                        new ServerSettings.Tls(
                                                folder.resolve("server.pem"),
                                                folder.resolve("server.key"),
                                                Optional.empty())),
                                false,
                                new ServerState.Shared(
                                        "postgresql://mainstay@db/mainstay",
                                        Optional.of(Secret.of("geheim"))),
                                ServerSettings.defaults().schedules(),
                                true,
                                WatchSettings.defaults(),
                                Optional.empty(),
                                LimitSettings.DEFAULT,
                                ConfirmationSettings.DEFAULT,
                                RetrySettings.DEFAULT,
                                ServerSettings.Log.TEXT,
                                Duration.ofDays(365),
                                Optional.empty()));
        assertThat(settings.toString()).doesNotContain("geheim");
        assertThat(read("log: json").log()).isEqualTo(ServerSettings.Log.JSON);
        refused("log: xml", "server.log", "text and json");
        assertThat(read("history: 90d").history()).isEqualTo(Duration.ofDays(90));
        refused("history: 6d", "server.history", "'6d' is less than 7d");
        assertThat(read("state: { directory: state }").state())
                .isEqualTo(new ServerState.Directory(folder.resolve("state")));
    }

    @Test
    void howOftenAJobIsTriedIsSaid() {
        assertThat(read("jobs: { retry: { attempts: 5, first-after: 30s, at-most: 1h } }").retry())
                .isEqualTo(new RetrySettings(5, Duration.ofSeconds(30), Duration.ofHours(1)));
        assertThat(read("jobs: { retry: off }").retry().attempts()).isEqualTo(1);
        assertThat(read("jobs: { retry: { first-after: 2h } }").retry())
                .isEqualTo(new RetrySettings(3, Duration.ofHours(2), Duration.ofHours(2)));
        refused("jobs: { retry: { attempts: 0 } }", "server.jobs.retry.attempts", "1 to 20");
        refused("jobs: { retry: { first-after: 0s } }", "server.jobs.retry.first-after", "1s");
        refused("jobs: { retry: { at-most: 30s } }", "server.jobs.retry", "less than");
        refused("jobs: { retrys: off }", "server.jobs.retrys", "'retry'");
    }

    @Test
    void workHasAWindowOfItsOwnOrThatOfAll() {
        List<ScheduleSettings> schedules =
                read("""
                schedules:
                  time-zone: Europe/Berlin
                  window: { from: "22:00", to: "06:00" }
                  copy: { window: { from: "12:00", to: "13:30", cancel-at-end: true } }
                  scrub: { window: off }
                """)
                        .schedules();
        DailyHours night =
                new DailyHours(LocalTime.of(22, 0), LocalTime.of(6, 0), ZoneId.of("Europe/Berlin"));
        assertThat(schedules)
                .extracting(each -> each.work().word() + " " + each.window())
                .containsExactlyInAnyOrder(
                        "prune " + Optional.of(new ScheduleSettings.Window(night, false)),
                        "scrub Optional.empty",
                        "copy "
                                + Optional.of(
                                        new ScheduleSettings.Window(
                                                new DailyHours(
                                                        LocalTime.of(12, 0),
                                                        LocalTime.of(13, 30),
                                                        ZoneId.of("Europe/Berlin")),
                                                true)));
        assertThat(DailyHours.parse(night.text())).isEqualTo(night);
        refused("schedules: { window: { from: '22:00' } }", "server.schedules.window", "'to'");
        refused("schedules: { copy: { window: { from: '22', to: '23' } } }", "copy.window.from");
        refused("schedules: { window: { untill: '22:00' } }", "window.untill");
    }

    private ChangeSettings onChange(String text) {
        return new ConfigurationReader(Map.of())
                .parse(
                        "m.yaml",
                        """
                        repository: { url: file:///r, encryption: none }
                        sources:
                          orders: { postgres: { url: postgresql://h/d }, schedules: { on-change: %s } }
                        """
                                .formatted(text),
                        folder)
                .source("orders")
                .onChange()
                .orElseThrow();
    }

    @Test
    void changesAfterWhichABackupIsTakenAreSaid() {
        ChangeSettings both =
                onChange("{ wal: 10GiB, configuration: true, at-most-every: 30min, timeout: 2h }");
        assertThat(both)
                .isEqualTo(
                        new ChangeSettings(
                                Optional.of(ByteSize.parse("10GiB")),
                                true,
                                Duration.ofMinutes(30),
                                Duration.ofHours(2),
                                Optional.empty()));
        assertThat(onChange("{ configuration: true }").atMostEvery())
                .isEqualTo(Duration.ofHours(1));
        for (String wrong :
                List.of(
                        "{}",
                        "{ configuration: false }",
                        "{ wal: 0B }",
                        "{ wal: 1GiB, every: 1h }")) {
            assertThatThrownBy(() -> onChange(wrong)).isInstanceOf(MainstayException.class);
        }
    }

    @Test
    void metricsAreForThoseWithALoginUnlessTheFileSaysOtherwise() {
        assertThat(read("metrics: { public: true }").watch().metricsArePublic()).isTrue();
        assertThat(read("metrics: { public: false }").watch().metricsArePublic()).isFalse();
        refused("metrics: { publik: true }", "server.metrics.publik", "public");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"0.0.0.0:80", "192.0.2.1:8443", "'[::]:8443'", "mainstay.example.org:8443"})
    void plainHttpThatOthersCanHearMustBeAskedFor(String listen) {
        refused("listen: " + listen, "server.listen", "tls", "insecure-http");
        assertThat(read("listen: " + listen + "\ninsecure-http: true").insecureHttp()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:8080", "127.3.2.1:8080", "'[::1]:8080'", "localhost:8080"})
    void plainHttpThatNobodyElseHearsIsAllowed(String listen) {
        assertThat(read("listen: " + listen).port()).isEqualTo(8080);
    }

    @Test
    void schedulesAreDefaultsUnlessTheyAreSaidOrOff() {
        List<ScheduleSettings> schedules =
                new ConfigurationReader(Map.of())
                        .parse(
                                "m.yaml",
                                """
                                repository: { url: file:///r, encryption: none }
                                sources:
                                  a:
                                    postgres: { url: postgresql://h }
                                    schedules:
                                      time-zone: Europe/Berlin
                                      full: 0 3 * * SAT
                                      incremental:
                                        { cron: 0 3 * * *, time-zone: UTC, jitter: 0s, timeout: 6h, missed: skip }
                                      expire: off
                                """,
                                folder)
                        .source("a")
                        .schedules();
        assertThat(schedules)
                .extracting(
                        each ->
                                each.work().word()
                                        + " "
                                        + each.cron()
                                        + " "
                                        + each.zone()
                                        + " "
                                        + each.jitter()
                                        + " "
                                        + each.timeout().orElseThrow()
                                        + " "
                                        + each.runsMissed())
                .containsExactly(
                        "full 0 3 * * SAT Europe/Berlin PT10M PT24H true",
                        "incremental 0 3 * * * UTC PT0S PT6H false",
                        "verify 30 5 * * * Europe/Berlin PT10M PT24H true");
        assertThat(schedules.getFirst().place()).startsWith("m.yaml:7:").endsWith("schedules.full");
        assertThat(read("schedules: off").schedules()).isEmpty();
    }

    @Test
    void whatCannotBeMeantIsRefused() {
        Map.ofEntries(
                        Map.entry("lissten: 127.0.0.1:1", "did you mean 'listen'?"),
                        Map.entry("listen: 8443", "'8443' is no address"),
                        Map.entry("listen: 127.0.0.1:70000", "is no address"),
                        Map.entry("listen: '::1:80'", "is no address"),
                        Map.entry("tls: { certificate: a }", "needs the key 'key'"),
                        Map.entry("state: {}", "needs one of directory and url"),
                        Map.entry(
                                "state: { directory: a, url: postgresql://h }",
                                "needs one of directory and url"),
                        Map.entry("state: { directory: a, password: b }", "is for a url"),
                        Map.entry("state: { url: mysql://h }", "is no url of a server"),
                        Map.entry("insecure-http: yes", "none of true and false"),
                        Map.entry(
                                "insecure-http: true\ntls: { certificate: a, key: b }", "only one"),
                        Map.entry("schedules: { prun: 0 0 * * * }", "did you mean 'prune'?"),
                        Map.entry(
                                "schedules: { prune: { missed: maybe } }", "none of run and skip"),
                        Map.entry("schedules: { time-zone: Mars/Olympus }", "is no time zone"))
                .forEach(this::refused);
    }

    @Test
    void anIdentityProviderIsReadAndHasToBeSafe() {
        assertThat(
                        read("""
                        oidc:
                          issuer: https://login.example.org/realm
                          audience: mainstay
                          role-mapping: { dba: administrator }
                        """)
                                .oidc())
                .contains(
                        new OidcSettings(
                                "https://login.example.org/realm",
                                "mainstay",
                                Optional.empty(),
                                "roles",
                                Map.of("dba", "administrator"),
                                Optional.empty(),
                                Optional.empty()));
        refused("oidc: { issuer: https://i }", "server.oidc", "audience");
        refused("oidc: { issuer: http://i.example, audience: a }", "no https:// URL");
        refused(
                "oidc: { issuer: https://i, audience: a, role-mapping: { x: king } }",
                "role-mapping.x",
                "'king' is none of viewer");
    }

    @Test
    void limitsAreRead() {
        assertThat(read("limits: { requests-per-minute: 10, body: 2KiB }").limits())
                .isEqualTo(
                        new LimitSettings(
                                10, LimitSettings.DEFAULT.refusalsPerMinute(), ByteSize.of(2048)));
        refused("limits: { refusals-per-minute: 0 }", "refusals-per-minute", "no number from 1");
    }

    @Test
    void confirmationsAreForMinutesOrForTwoPeople() {
        assertThat(read("confirmations: {}").confirmations())
                .isEqualTo(new ConfirmationSettings(Duration.ofMinutes(10), false));
        assertThat(read("confirmations: { second-person: true }").confirmations())
                .isEqualTo(new ConfirmationSettings(Duration.ofHours(1), true));
        assertThat(read("confirmations: { valid: 2min }").confirmations().valid())
                .isEqualTo(Duration.ofMinutes(2));
        refused("confirmations: { valid: 10s }", "server.confirmations.valid", "1min");
        refused("confirmations: { valid: 2d }", "1d");
        refused("confirmations: { second-persons: true }", "second-person");
    }

    @Test
    void certificatesOfClientsNeedAnAuthority() {
        String tls = "tls: { certificate: c.pem, key: k.pem, %s }";
        assertThat(read(tls.formatted("client-ca: ca.pem")).tls().orElseThrow().clients())
                .contains(new ServerSettings.Clients(folder.resolve("ca.pem"), true));
        assertThat(
                        read(tls.formatted("client-ca: ca.pem, client-certificate: api"))
                                .tls()
                                .orElseThrow()
                                .clients())
                .contains(new ServerSettings.Clients(folder.resolve("ca.pem"), false));
        refused(tls.formatted("client-certificate: required"), "client-ca");
        refused(
                tls.formatted("client-ca: ca.pem, client-certificate: optional"),
                "required",
                "api");
    }
}
