package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/// A real cluster, of which everything is asked and done by the API alone: a backup, what there is
/// to bring back, and bringing it back.
class RepositoryApiTest {
    private final ServerDirectory folder = ServerDirectory.create();
    private final Site site = Site.none();
    private String token = "";

    private Surroundings surroundings(TestCluster cluster) {
        String yaml =
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: repository.key }
                  compression: zstd:1
                copies:
                  second: { url: "file://%1$s/second" }
                sources:
                  orders:
                    postgres:
                      url: postgresql://postgres@127.0.0.1:%2$d/postgres
                      data-directory: %3$s
                      receiver: { spool: spool, status-interval: 100ms, ship-interval: 200ms }
                    retention: { full: { count: 1 } }
                    schedules: off
                server:
                  listen: 127.0.0.1:0
                  state: { directory: state }
                  schedules: off
                """
                        .formatted(folder.path(), cluster.port(), cluster.dataDirectory());
        return new Surroundings(
                new ConfigurationReader(Map.of()).parse("m.yaml", yaml, folder.path()),
                Map.of(),
                Ground.ofThisHost());
    }

    private JsonNode json(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        return JsonMapper.shared().readTree(answer.body());
    }

    private JsonNode get(MainstayServer server, String path) {
        return json(site.ask(server, "GET", "api/v1/" + path, token, ""), 200);
    }

    private JsonNode post(MainstayServer server, String path, String body, int status) {
        return json(site.ask(server, "POST", "api/v1/" + path, token, body), status);
    }

    private JsonNode awaitDone(MainstayServer server, JsonNode job) {
        String path = "jobs/" + job.get("id").asString();
        Await.until(
                path + " to end",
                () -> get(server, path).get("ended") != null
                        && !get(server, path).get("ended").isNull());
        JsonNode ended = get(server, path);
        assertThat(ended.get("state").asString()).as(ended.toString()).isEqualTo("done");
        return ended;
    }

    @Test
    void aDroppedTableIsFoundInTheTimelineAndBroughtBack() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            Surroundings surroundings = surroundings(cluster);
            try (Repository repository =
                            RepositoryAccess.create(
                                    surroundings.configuration().repository(),
                                    surroundings.ground());
                    MainstayServer server = MainstayServer.start(surroundings)) {
                token = server.firstToken().orElseThrow().reveal();
                emptyAtFirst(server);
                String backup =
                        awaitDone(
                                        server,
                                        post(
                                                server,
                                                "jobs",
                                                "{\"kind\":\"backup\",\"target\":\"orders\",\"type\":\"full\"}",
                                                202))
                                .get("result")
                                .get("backup")
                                .asString();
                backups(server, repository, backup);
                operators(server, backup);
                held(server, backup);
                String lsn = dropped(server, cluster);
                recoverable(server, backup);
                restored(server, repository, cluster, backup, lsn);
            }
        }
    }

    private void emptyAtFirst(MainstayServer server) {
        assertThat(json(site.get(server, "health/backup"), 503).get("status").asString())
                .isEqualTo("error");
        assertThat(get(server, "sources").get(0).get("backups").asInt()).isZero();
        assertThat(get(server, "sources/orders/backups").get("backups").size()).isZero();
        assertThat(site.ask(server, "GET", "api/v1/sources/ordres", token, "").body())
                .contains("MS-0209", "did you mean 'orders'");
        assertThat(get(server, "dashboard").get("sources").get(0).get("rpoSeconds").isNull())
                .isTrue();
    }

    private void backups(MainstayServer server, Repository repository, String id) {
        Await.until(
                "the list to have it",
                () -> get(server, "sources/orders/backups").get("backups").size() == 1);
        CommittedBackup truth = repository.source("orders").orElseThrow().backups().getFirst();
        JsonNode row = get(server, "sources/orders/backups").get("backups").get(0);
        assertThat(row.get("backup").asString()).isEqualTo(id).isEqualTo(truth.id().text());
        assertThat(row.get("end").asString()).isEqualTo(truth.end().toString());
        assertThat(row.get("sizeBytes").asLong()).isEqualTo(truth.statistics().number("bytes"));
        JsonNode shown = get(server, "backups/" + id);
        BackupDetails details = BackupDetails.read(truth.details());
        assertThat(shown.get("cluster").get("startLsn").asString())
                .isEqualTo(details.startLsn().toString());
        assertThat(shown.get("cluster").get("systemId").asString())
                .isEqualTo(details.systemId().toString());
        assertThat(shown.get("status").asString()).isEqualTo("complete");
        assertThat(get(server, "statistics").get("sources").get(0).get("full").asLong())
                .isEqualTo(1);
        JsonNode retention = get(server, "sources/orders/retention");
        assertThat(retention.get("policy").asString()).isEqualTo("full count 1");
        assertThat(retention.get("backups").get(0).get("decision").asString()).isEqualTo("stays");
        assertThat(get(server, "copies").get(0).get("state").asString()).isEqualTo("absent");
        HttpResponse<String> page =
                site.ask(server, "GET", "api/v1/sources/orders/backups", token, "");
        assertThat(page.headers().firstValue("ETag")).isPresent();
        assertThat(page.headers().firstValue("Cache-Control").orElseThrow()).contains("no-store");
    }

    private void operators(MainstayServer server, String id) {
        JsonNode health = json(site.get(server, "health/backup"), 200);
        JsonNode backup = health.get("info").get("backup");
        assertThat(health.get("status").asString()).isEqualTo("ok");
        assertThat(backup.get("totalBackups").asInt()).isEqualTo(1);
        assertThat(backup.get("failedBackupsLast24h").asInt()).isZero();
        assertThat(json(site.ask(server, "GET", "api/backup/stats", token, ""), 200)
                        .get("lastBackupStatus")
                        .asString())
                .isEqualTo("complete");
        assertThat(json(site.ask(server, "GET", "backup/history", token, ""), 200)
                        .get(0)
                        .get("id")
                        .asString())
                .isEqualTo(id);
        String root = "v1/backup-recovery/";
        assertThat(json(site.ask(server, "GET", root + "retention/lifecycle-stats", token, ""), 200)
                        .get(0)
                        .get("kept")
                        .asInt())
                .isEqualTo(1);
        json(site.ask(server, "GET", root + "database/backups/" + id, token, ""), 200);
        json(site.ask(server, "GET", root + "monitoring/dashboard", token, ""), 200);
        JsonNode verify = json(site.ask(server, "POST", "backup/verify/" + id, token, ""), 202);
        assertThat(verify.get(0).get("source").asString()).isEqualTo("orders");
        JsonNode verified = awaitDone(server, get(server, "jobs").get("jobs").get(0));
        assertThat(verified.get("kind").asString()).isEqualTo("verify-backup");
        assertThat(verified.get("result").get("backup").asString()).isEqualTo(id);
        post(server, "jobs", "{\"kind\":\"verify-backup\",\"target\":\"orders\"}", 400);
        String wanted = "{\"kind\":\"%s\",\"target\":\"%s\",\"backup\":\"" + id + "\"}";
        post(server, "jobs", wanted.formatted("backup", "orders"), 400);
        post(server, "jobs", wanted.formatted("verify", "stock"), 400);
        post(server, "jobs", wanted.formatted("verify", "").replace(id, "x"), 404);
        assertThat(json(site.ask(server, "POST", "backup/verify/none", token, ""), 404)
                        .get("code")
                        .asString())
                .isEqualTo("MS-0208");
        assertThat(json(site.ask(server, "POST", "backup/failover", token, ""), 501)
                        .get("code")
                        .asString())
                .isEqualTo("MS-1241");
    }

    private void held(MainstayServer server, String id) {
        assertThat(
                        post(server, "backups/" + id + "/hold", "{\"reason\":\"audit\"}", 200)
                                .get("held")
                                .asString())
                .isEqualTo("audit");
        assertThat(heldInList(server)).isEqualTo("audit");
        post(server, "backups/" + id + "/hold", "{\"reason\":\" \"}", 400);
        assertThat(post(server, "backups/" + id + "/release", "", 428).get("code").asString())
                .isEqualTo("MS-1270");
        String confirmation =
                post(
                                server,
                                "confirmations",
                                "{\"action\":\"release\",\"target\":\"" + id + "\"}",
                                201)
                        .get("token")
                        .asString();
        HttpResponse<String> released =
                site.askWith(
                        server,
                        "POST",
                        "api/v1/backups/" + id + "/release",
                        token,
                        "",
                        Map.of("Confirmation-Token", confirmation));
        assertThat(json(released, 200).get("held").isNull()).isTrue();
        assertThat(heldInList(server)).isEmpty();
        post(server, "backups/" + id + "/release", "", 404);
    }

    private String heldInList(MainstayServer server) {
        return get(server, "sources/orders/backups")
                .get("backups")
                .get(0)
                .path("held")
                .asString("");
    }

    /// @return the position before the table was dropped, as the timeline tells it
    private String dropped(MainstayServer server, TestCluster cluster) {
        cluster.sql("create table precious (n int)", "insert into precious values (7)");
        cluster.sql("drop table precious");
        cluster.sql("select pg_switch_wal()", "create table later (n int)");
        Lsn end = Lsn.parse(cluster.value("select pg_current_wal_flush_lsn()"));
        await(
                "all WAL to be stored",
                () -> !Lsn.parse(get(server, "sources/orders/wal").get("endsLsn").asString())
                        .isBefore(end));
        for (JsonNode event : get(server, "sources/orders/timeline").get("events")) {
            if (event.get("kind").asString().equals("dropped")) {
                String restore = event.get("restore").asString();
                assertThat(restore).startsWith("targetLsn ").endsWith(", exclusive");
                return restore.substring("targetLsn ".length(), restore.indexOf(','));
            }
        }
        throw new AssertionError(get(server, "sources/orders/timeline"));
    }

    private static void await(String what, BooleanSupplier condition) {
        Await.until(what, condition::getAsBoolean);
    }

    private void recoverable(MainstayServer server, String backup) {
        JsonNode window = get(server, "sources/orders/window");
        assertThat(window.get("windows").get(0).get("fromBackup").asString()).isEqualTo(backup);
        assertThat(window.get("toLsn").asString()).isNotEmpty();
        JsonNode wal = get(server, "sources/orders/wal");
        assertThat(wal.get("gaps").size()).isZero();
        assertThat(wal.get("receiver").get("state").asString()).isEqualTo("receiving");
        await(
                "the dashboard to know the backup and the receiver",
                () -> {
                    JsonNode summary = get(server, "dashboard").get("sources").get(0);
                    return summary.get("windows").size() == 1
                            && summary.path("rpoBasis").asString("").equals("wal")
                            && summary.get("rpoSeconds").asDouble() < 60;
                });
    }

    private void restored(
            MainstayServer server,
            Repository repository,
            TestCluster cluster,
            String backup,
            String lsn)
            throws IOException {
        Path target = folder.path().resolve("restored");
        String body =
                "{\"source\":\"orders\",\"directory\":\"%s\",\"targetLsn\":\"%s\",\"exclusive\":true,\"targetAction\":\"promote\"}"
                        .formatted(target, lsn);
        JsonNode plan = post(server, "restores/plan", body, 200);
        assertThat(plan.get("backup").asString()).isEqualTo(backup);
        assertThat(plan.get("proof").asString()).contains("without a gap");
        assertThat(target).doesNotExist();
        refused(server, cluster, body);
        // Where a cluster runs: nothing is written.
        JsonNode validated =
                awaitDone(
                        server,
                        post(
                                server,
                                "restores/validate",
                                body.replace(
                                        target.toString(), cluster.dataDirectory().toString()),
                                202));
        assertThat(validated.get("kind").asString()).isEqualTo("validate-restore");
        assertThat(validated.at("/result/backup").asString()).isEqualTo(backup);
        JsonNode job = awaitDone(server, post(server, "restores", body, 202));
        assertThat(job.get("kind").asString()).isEqualTo("restore");
        assertThat(job.get("result").get("directory").asString()).isEqualTo(target.toString());
        post(server, "restores", body, 409); // it is not empty any more
        Path wal = folder.directory("wal");
        export(repository.source("orders").orElseThrow(), wal);
        try (TestCluster again =
                TestCluster.adopt(
                        Versions.NEWEST,
                        target,
                        ClusterOptions.bare().with("restore_command", "cp " + wal + "/%f %p"))) {
            again.start();
            await(
                    "the end of recovery",
                    () -> again.value("select pg_is_in_recovery()").equals("f"));
            assertThat(again.value("select n from precious")).isEqualTo("7");
            assertThat(again.value("select to_regclass('later') is null")).isEqualTo("t");
        }
    }

    private void refused(MainstayServer server, TestCluster cluster, String body) {
        post(server, "restores/plan", body.replace("restored", "../x"), 400);
        post(
                server,
                "restores/plan",
                body.replace(folder.path() + "/restored", cluster.dataDirectory().toString()),
                409);
        post(server, "restores/plan", body.replace("targetLsn", "targetName"), 400);
        post(
                server,
                "restores/plan",
                body.replace(",\"exclusive\":true", "").replace("targetLsn", "targetName"),
                422);
        post(server, "jobs", "{\"kind\":\"restore\",\"target\":\"orders\"}", 400);
    }

    private static void export(ProtectedSource source, Path to) {
        BackupDetails details = BackupDetails.read(source.backups().getFirst().details());
        WalArchive archive = source.wal(details.systemId(), 1);
        archive.segments(
                new WalSegment(details.timeline(), 0, details.layout().walSegmentSize()),
                segment -> {
                    try {
                        Files.write(
                                to.resolve(segment.fileName()),
                                Objects.requireNonNull(archive.get(segment).orElse(null)));
                    } catch (IOException wrong) {
                        throw new UncheckedIOException(wrong);
                    }
                });
    }
}
