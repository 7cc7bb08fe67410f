package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.BackupLabel;
import dev.mainstay.postgres.cluster.BackupManifestReader;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.protocol.BaseBackupStream;
import dev.mainstay.postgres.protocol.BaseBackupStream.Position;

import java.util.Optional;

/// What has to agree in a base backup that came.
final class StreamedChecks {
    private StreamedChecks() {}

    /// Everything that the manifest names arrived, and nothing else.
    ///
    /// @throws MainstayException SERVER_PROTOCOL if not
    static void requireComplete(
            Origin origin,
            BaseBackupStream stream,
            ArrivedFiles arrived,
            BaseBackupStream.Manifest manifest) {
        BackupManifestReader.Summary summary =
                BackupManifestReader.read(manifest.content(), arrived::named);
        arrived.requireAllNamed();
        boolean same = summary.systemId().map(origin.systemId()::equals).orElse(true);
        if (!same || !summary.ranges().getLast().start().equals(stream.start().lsn())) {
            throw mismatch("its manifest is of another cluster or backup");
        }
    }

    /// What is known only now has to agree with what was believed at the beginning.
    ///
    /// @param parent of which only the changes came; empty if everything did
    /// @return the control file
    static ControlFile requireConsistent(
            Origin origin,
            Optional<Basis.Parent> parent,
            Position start,
            Position end,
            StreamedFiles files) {
        ControlFile control = files.control();
        Origin found = Origin.of(control);
        BackupLabel label = BackupLabel.parse(files.sentLabel());
        if (!found.systemId().equals(origin.systemId())
                || !found.layout().equals(origin.layout())) {
            throw mismatch("its control file is of another cluster than the server said");
        }
        if (!label.start().equals(start.lsn())
                || !label.timeline().equals(start.timeline())
                || !end.timeline().equals(start.timeline())
                || end.lsn().isBefore(start.lsn())) {
            throw mismatch(
                    "it begins at "
                            + start.lsn()
                            + " on timeline "
                            + start.timeline()
                            + ", its label says "
                            + label.start()
                            + " on timeline "
                            + label.timeline()
                            + ", and it ends at "
                            + end.lsn()
                            + " on timeline "
                            + end.timeline());
        }
        Optional<BackupLabel.Earlier> since =
                parent.map(each -> BackupDetails.read(each.backup().details()))
                        .map(each -> new BackupLabel.Earlier(each.startLsn(), each.timeline()));
        if (!label.since().equals(since)) {
            throw mismatch(
                    "by its label it builds on "
                            + label.since().map(BackupLabel.Earlier::toString).orElse("nothing"));
        }
        return control;
    }

    private static MainstayException mismatch(String what) {
        return new MainstayException(
                ErrorCode.SERVER_PROTOCOL, "the base backup contradicts itself: " + what);
    }
}
