package dev.mainstay.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.ServerState;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.server.job.Job;
import dev.mainstay.server.job.JobState;
import dev.mainstay.server.job.JobTable;
import dev.mainstay.server.schedule.Occurrence;
import dev.mainstay.server.schedule.ScheduleTable;
import dev.mainstay.server.state.StateDatabase;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A server that receives the WAL of a real cluster and backs it up by its schedule, is killed in the middle, and goes on.
class ServerBackupTest {
    private static final String EVERY_MINUTE = "{ cron: \"* * * * *\", jitter: 0s }";

    private final ServerDirectory folder = ServerDirectory.create();

    private Path configuration(TestCluster cluster, String name, String more) throws IOException {
        Path file = folder.path().resolve(name);
        Files.writeString(
                file,
                """
                repository:
                  url: file://%1$s/repository
                  key: { file: repository.key }
                  compression: zstd:1
                sources:
                  orders:
                    postgres:
                      url: postgresql://postgres@127.0.0.1:%2$d/postgres
                      data-directory: %3$s
                      receiver: { spool: spool, status-interval: 100ms, ship-interval: 200ms }
                %4$s
                    schedules: { incremental: %5$s, full: off, expire: off, verify: off }
                server:
                  listen: 127.0.0.1:0
                  state: { directory: state }
                  schedules: off
                """
                        .formatted(
                                folder.path(),
                                cluster.port(),
                                cluster.dataDirectory(),
                                more.indent(6),
                                EVERY_MINUTE));
        return file;
    }

    private static Configuration read(Path file) {
        return new ConfigurationReader(Map.of()).read(file);
    }

    @Test
    void aServerThatIsKilledInTheMiddleOfABackupSaysSoAndTakesTheNextOne() throws Exception {
        try (TestCluster cluster = TestCluster.create(Versions.NEWEST)) {
            Path slow = configuration(cluster, "slow.yaml", "max-rate: 64KiB");
            Path quick = configuration(cluster, "quick.yaml", "");
            Configuration configuration = read(quick);
            try (Repository repository =
                    RepositoryAccess.create(configuration.repository(), Ground.ofThisHost())) {
                ServerProcess first = ServerProcess.start(slow, folder.path().resolve("first"));
                first.await(" begins: backup orders");
                first.kill();
                ServerProcess second = ServerProcess.start(quick, folder.path().resolve("second"));
                second.await("ran when the server was killed");
                second.await(" is done");
                second.close();
                assertThat(second.log()).contains("server stopped");
                judge(repository);
            }
        }
    }

    private void judge(Repository repository) {
        List<CommittedBackup> backups = repository.source("orders").orElseThrow().backups();
        assertThat(
                        new Verification(
                                        repository,
                                        RepositoryCheck.Options.everything(),
                                        Progress.none())
                                .run()
                                .ok())
                .isTrue();
        try (StateDatabase state =
                StateDatabase.open(
                        new ServerState.Directory(folder.path().resolve("state")), Map.of())) {
            JdbcClient jdbc = JdbcClient.create(state.source());
            List<Job> jobs =
                    new JobTable(jdbc, TransactionOperations.withoutTransaction(), (_, _, _, _) -> {})
                            .list(Optional.empty(), Optional.empty(), Optional.empty(), 100);
            Job killed = jobs.getLast();
            assertThat(killed.state()).isEqualTo(JobState.INTERRUPTED);
            assertThat(killed.failure().orElseThrow().error()).isEqualTo("MS-0407");
            List<String> done =
                    jobs.stream()
                            .filter(each -> each.state() == JobState.DONE)
                            .map(each -> each.result().get("backup"))
                            .toList();
            assertThat(done)
                    .as("what is told of a job is what the repository has")
                    .containsExactlyInAnyOrderElementsOf(
                            backups.stream().map(each -> each.id().text()).toList());
            assertThat(new ScheduleTable(jdbc).occurrences("orders/incremental", 100))
                    .hasSizeGreaterThan(1)
                    .allMatch(
                            each ->
                                    (each.outcome() == Occurrence.Outcome.STARTED)
                                            == each.job().isPresent());
        }
    }
}
