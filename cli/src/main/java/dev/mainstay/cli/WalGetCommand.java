package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// `mainstay wal get NAME PATH`, for `restore_command`.
@Command(
        name = "get",
        description = "fetch one WAL file: restore_command = 'mainstay wal get %%f %%p'")
final class WalGetCommand implements Verb {
    /// How long a standby waits for a repository that is away before it is told that there is
    /// nothing.
    private static final int STANDBY_TRIES = 5;

    @Parameters(index = "0", paramLabel = "NAME", description = "file name, %%f")
    private String name = "";

    @Parameters(index = "1", paramLabel = "PATH", description = "where to put it, %%p")
    private String path = "";

    @Option(
            names = "--source",
            paramLabel = "NAME",
            description = "which source (may be left out where only one is configured)")
    private Optional<String> source = Optional.empty();

    @Option(
            names = "--standby",
            description =
                    "for a standby (assumed where standby.signal is): never serve an unfinished"
                            + " segment; failures are retried and then count as absent")
    private boolean standby;

    @Option(names = "--rewind", description = "for pg_rewind: never serve an unfinished segment")
    private boolean rewind;

    @Override
    public Document run(Session session) {
        Path here = session.terminal().workingDirectory();
        boolean forStandby = standby || Files.exists(here.resolve("standby.signal"));
        Waiter pause = Waiter.sleeping(Duration.ofSeconds(1));
        for (int attempt = 1; ; attempt++) {
            try {
                return get(session, here, forStandby);
            } catch (MainstayException failed) {
                if (!forStandby || failed.code() == ErrorCode.INTERRUPTED) {
                    throw failed;
                }
                if (attempt == STANDBY_TRIES) {
                    session.terminal()
                            .err()
                            .println("ERROR: [" + failed.code().id() + "] " + failed.getMessage());
                    return absent();
                }
                pause.await(attempt);
            }
        }
    }

    private Document get(Session session, Path here, boolean forStandby) {
        // A host that only restores need not have the source in its configuration.
        String sourceName =
                source.orElseGet(
                        () -> WalPushCommand.sourceName(session.configuration(), Optional.empty()));
        try (Repository repository = OpenSource.repository(session)) {
            ProtectedSource known = OpenSource.known(session, repository, sourceName);
            Cluster cluster = cluster(here, known);
            boolean found =
                    new WalGet(
                                    known,
                                    cluster.system(),
                                    cluster.segmentSizeBytes(),
                                    !forStandby && !rewind)
                            .get(name, here.resolve(path));
            return found ? Document.of("fetched " + name).add("file", name) : absent();
        }
    }

    private Document absent() {
        return Document.of(name + " is not in the repository")
                .add("file", name)
                .exiting(Exits.PROVED_ABSENT);
    }

    private record Cluster(dev.mainstay.base.SystemId system, int segmentSizeBytes) {}

    /// The cluster that asks, by its control file; outside a data directory that of the newest
    /// backup.
    private static Cluster cluster(Path here, ProtectedSource source) {
        if (Files.exists(here.resolve(ControlFile.PATH))) {
            ControlFile control = ControlFile.read(here, Waiter.sleeping(Duration.ofMillis(20)));
            return new Cluster(control.systemId(), control.layout().walSegmentSizeBytes());
        }
        List<CommittedBackup> backups = source.backups();
        if (backups.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.BACKUP_CONTROL_FILE,
                    "neither a control file here nor a backup tells the cluster of "
                            + source.name(),
                    "run it with the data directory as current directory, as PostgreSQL does",
                    null);
        }
        BackupDetails newest = BackupDetails.read(backups.getLast().details());
        return new Cluster(newest.systemId(), newest.layout().walSegmentSize());
    }
}
