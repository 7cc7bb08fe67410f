package dev.mainstay.engine.restore;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Plans a restore. Nothing is written; the directory need not be there.
public final class RestorePlanner {
    private final ProtectedSource source;

    public RestorePlanner(ProtectedSource source) {
        this.source = source;
    }

    /// Chooses the backup and proves that the target can be reached from it.
    ///
    /// @throws MainstayException RESTORE_NO_BACKUP, BACKUP_UNKNOWN, RESTORE_TARGET_UNREACHABLE, or
    ///   RESTORE_TABLESPACE if a tablespace is mapped that the backup does not have
    public RestorePlan plan(RestoreRequest request) {
        BackupChoice.Chosen chosen =
                new BackupChoice(source, request.backup(), request.recovery()).choose();
        List<String> warnings = new ArrayList<>();
        chosen.passedOver().forEach(reason -> warnings.add("passed over " + reason));
        BackupDetails details = chosen.details();
        if (details.judgement().damagedPageCount() > 0) {
            warnings.add(
                    details.judgement().damagedPageCount()
                            + " pages were damaged when the backup was taken, the first in "
                            + details.judgement().damagedPages().getFirst().path());
        }
        Contents contents = contents(chosen.backup());
        contents.otherLinks.forEach(
                (path, target) ->
                        warnings.add(
                                path
                                        + " was a link to "
                                        + target
                                        + " and becomes a directory, since what is there may be in"
                                        + " use"));
        List<Tablespace> tablespaces = tablespaces(contents.links, request);
        return new RestorePlan(
                request,
                chosen.backup(),
                details,
                chosen.replay(),
                new RestorePlan.Volume(contents.files, ByteSize.of(contents.bytes)),
                tablespaces,
                warnings);
    }

    private static final class Contents {
        long files;
        long bytes;
        boolean control;
        final Map<String, String> links = new TreeMap<>();
        final Map<String, String> otherLinks = new TreeMap<>();

        void add(ManifestEntry entry) {
            Places.demandSafe(entry.path());
            switch (entry.content()) {
                case Content.Directory _ -> {}
                case Content.Link(String target) -> {
                    Optional<String> oid = Places.tablespaceOid(entry.path());
                    if (oid.isPresent()) {
                        links.put(oid.get(), target);
                    } else {
                        otherLinks.put(entry.path(), target);
                    }
                }
                case Content.Paged _, Content.Chunked _ -> {
                    files++;
                    bytes += entry.sizeBytes();
                    control |= entry.path().equals(ControlFile.PATH);
                }
            }
        }
    }

    private Contents contents(CommittedBackup backup) {
        Contents contents = new Contents();
        try (BackupReader reader = source.read(backup)) {
            reader.entries(contents::add);
        }
        if (!contents.control) {
            throw new MainstayException(
                    ErrorCode.RESTORE_CONTENT_WRONG,
                    "backup " + backup.id() + " holds no " + ControlFile.PATH);
        }
        return contents;
    }

    private static List<Tablespace> tablespaces(Map<String, String> links, RestoreRequest request) {
        Map<String, String> mapping = new TreeMap<>();
        request.tablespaces().forEach((from, to) -> mapping.put(plain(from), to));
        List<Tablespace> tablespaces = new ArrayList<>();
        Set<Path> taken = new HashSet<>();
        links.forEach(
                (oid, from) -> {
                    String mapped = mapping.remove(plain(from));
                    Path to = Path.of(mapped == null ? from : mapped).normalize();
                    if (!to.isAbsolute()
                            || to.startsWith(request.directory())
                            || request.directory().startsWith(to)
                            || !taken.add(to)) {
                        throw new MainstayException(
                                ErrorCode.RESTORE_TABLESPACE,
                                "tablespace " + oid + " cannot go to " + to,
                                "each needs an absolute directory of its own outside the data"
                                        + " directory: --tablespace "
                                        + from
                                        + "=NEW",
                                null);
                    }
                    tablespaces.add(new Tablespace(oid, from, to));
                });
        if (!mapping.isEmpty()) {
            throw new MainstayException(
                    ErrorCode.RESTORE_TABLESPACE,
                    "the backup has no tablespace in " + mapping.keySet().iterator().next(),
                    links.isEmpty()
                            ? "it has no tablespaces outside the data directory"
                            : "it has them in " + String.join(", ", links.values()),
                    null);
        }
        return tablespaces;
    }

    private static String plain(String directory) {
        return Path.of(directory).normalize().toString();
    }
}
