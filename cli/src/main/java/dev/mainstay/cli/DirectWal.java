package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.archive.WalPush;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// Opens the repository for one file.
final class DirectWal implements WalRoute {
    @Override
    public WalArchive.Stored push(Session session, String source, Path file, Path dataDirectory) {
        try (Repository repository = OpenSource.repository(session)) {
            return new WalPush(
                            repository.sourceOrAdd(source),
                            session.configuration().repository().zstdLevel())
                    .push(file, dataDirectory);
        }
    }

    @Override
    public boolean get(Session session, Wish wish) {
        try (Repository repository = OpenSource.repository(session)) {
            Cluster cluster =
                    cluster(wish.here(), OpenSource.known(session, repository, wish.source()));
            return new WalGet(
                            cluster.source(),
                            cluster.system(),
                            cluster.segmentSizeBytes(),
                            wish.unfinishedToo())
                    .get(wish.name(), wish.target());
        }
    }

    @Override
    public boolean isFinal() {
        return true;
    }

    /// The cluster that asks, by its control file; outside a data directory that of the newest
    /// backup.
    static Cluster cluster(Path here, ProtectedSource source) {
        if (Files.exists(here.resolve(ControlFile.PATH))) {
            ControlFile control = ControlFile.read(here, Waiter.sleeping(Duration.ofMillis(20)));
            return new Cluster(source, control.systemId(), control.layout().walSegmentSizeBytes());
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
        return new Cluster(source, newest.systemId(), newest.layout().walSegmentSize());
    }
}
