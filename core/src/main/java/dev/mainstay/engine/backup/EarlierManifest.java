package dev.mainstay.engine.backup;

import dev.mainstay.postgres.cluster.BackupManifest;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// The manifest by which a server takes an incremental base backup: made from what is recorded of
/// the earlier backup, whichever way that was taken.
///
/// The server sends every file whole that the manifest does not name. So it names only what may
/// come in parts: main forks, whose changes the log tells, of which the earlier backup can serve
/// for the rest, and of which it has no damaged page and nothing is known to be lost.
final class EarlierManifest {
    private EarlierManifest() {}

    /// @param out to the server
    static void write(
            OutputStream out, ProtectedSource source, CommittedBackup backup, ServerVersion version)
            throws IOException {
        BackupDetails details = BackupDetails.read(backup.details());
        Set<String> damaged =
                details.judgement().damagedPages().stream()
                        .map(BackupDetails.Damage::path)
                        .collect(Collectors.toSet());
        damaged.addAll(source.lostFiles());
        BackupManifest manifest =
                BackupManifest.open(new BufferedOutputStream(out), version, details.systemId());
        try (BackupReader reader = source.read(backup)) {
            reader.entries(
                    entry -> {
                        if (mayComeInParts(entry) && !damaged.contains(entry.path())) {
                            add(manifest, entry);
                        }
                    });
        } catch (UncheckedIOException failed) {
            throw failed.getCause();
        }
        manifest.finish(
                List.of(
                        new BackupManifest.WalRange(
                                details.timeline(), details.startLsn(), details.stopLsn())));
    }

    private static boolean mayComeInParts(ManifestEntry entry) {
        return entry.content() instanceof Content.Paged paged
                && paged.prints().isPresent()
                && RelationFile.at(entry.path())
                        .filter(file -> file.fork() == RelationFile.Fork.MAIN)
                        .isPresent();
    }

    private static void add(BackupManifest manifest, ManifestEntry entry) {
        try {
            manifest.add(
                    entry.path(),
                    entry.sizeBytes(),
                    Instant.EPOCH.plus(entry.modifiedMicros(), ChronoUnit.MICROS),
                    entry.crc32c());
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
