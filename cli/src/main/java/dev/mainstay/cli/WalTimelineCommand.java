package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.cluster.CatalogEntry;
import dev.mainstay.postgres.cluster.CatalogLine;
import dev.mainstay.postgres.wal.RelationFile;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.WalEvent;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// `mainstay wal timeline SOURCE`
@Command(name = "timeline", description = "what happened when, from a backup's start on")
final class WalTimelineCommand implements Verb {
    @Parameters(paramLabel = "SOURCE", description = "which source of the configuration")
    private String source = "";

    @Option(names = "--from", paramLabel = "TIME", description = "as 2026-11-21T04:15:00Z")
    private Instant from = Instant.MIN;

    @Option(names = "--to", paramLabel = "TIME", description = "as 2026-11-21T04:15:00Z")
    private Instant to = Instant.MAX;

    @Override
    public Document run(Session session) {
        try (Repository repository = OpenSource.repository(session)) {
            ProtectedSource known = OpenSource.known(session, repository, source);
            RecordChain chain = known.records();
            chain.damaged().forEach(each -> session.progress().note("WARNING: " + each));
            CommittedBackup base = base(chain.backups());
            BackupDetails details = BackupDetails.read(base.details());
            Map<RelationFile, String> names = names(known, base);
            StoredTimeline.Story story =
                    StoredTimeline.read(
                            known.wal(details.systemId(), 1),
                            details.startSegment(),
                            file -> Optional.ofNullable(names.get(file)));
            Table table = Table.of("time", "lsn", "xid", "event", "target");
            for (TimelineEvent event : story.events()) {
                Instant at = event.time().orElse(null);
                if (at == null || !at.isBefore(from) && at.isBefore(to)) {
                    row(table, event);
                }
            }
            return Document.of(
                            "timeline "
                                    + details.timeline()
                                    + " of "
                                    + source
                                    + ", from the start of backup "
                                    + base.id())
                    .add("events", table);
        }
    }

    /// The newest backup that began before the range, so that its transactions are seen whole.
    private CommittedBackup base(List<CommittedBackup> backups) {
        return backups.reversed().stream()
                .filter(backup -> from.equals(Instant.MIN) || backup.begin().isBefore(from))
                .findFirst()
                .or(() -> backups.stream().findFirst())
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.BACKUP_UNKNOWN,
                                        "source " + source + " has no backup to begin at"));
    }

    private static Map<RelationFile, String> names(ProtectedSource source, CommittedBackup base) {
        Map<RelationFile, String> names = new HashMap<>();
        try (BackupReader reader = source.read(base)) {
            reader.catalog(
                    part ->
                            CatalogLine.parseAll(
                                    part,
                                    entry -> {
                                        if (entry instanceof CatalogEntry.Relation relation) {
                                            relation.file()
                                                    .ifPresent(
                                                            file ->
                                                                    names.put(
                                                                            new RelationFile(
                                                                                    file
                                                                                            .tablespaceOid(),
                                                                                    file
                                                                                            .databaseOid(),
                                                                                    file
                                                                                            .relfilenode()),
                                                                            relation.schema()
                                                                                    + "."
                                                                                    + relation
                                                                                            .name()));
                                        }
                                    }));
        }
        return names;
    }

    private static void row(Table table, TimelineEvent event) {
        switch (event) {
            case TimelineEvent.RelationChanged changed ->
                    table.row(
                            changed.time(),
                            changed.lsn().toString(),
                            String.valueOf(changed.xid()),
                            changed.fate()
                                            .name()
                                            .toLowerCase(java.util.Locale.ROOT)
                                            .replace('_', ' ')
                                    + " "
                                    + changed.name().orElse("file " + changed.file().number()),
                            "--target-lsn " + changed.lsn() + " --exclusive");
            case TimelineEvent.Commits commits ->
                    table.row(
                            commits.time(),
                            commits.lsn().toString(),
                            "",
                            commits.count() + " commits in this minute",
                            "");
            case TimelineEvent.Other(var lsn, _, var time, WalEvent.RestorePoint point) ->
                    table.row(
                            time,
                            lsn.toString(),
                            "",
                            "restore point '" + point.name() + "'",
                            "--target-name '" + point.name() + "'");
            case TimelineEvent.Other other
                    when other.event() instanceof WalEvent.Checkpoint
                            || other.event() instanceof WalEvent.BackupEnd -> {
                // of no use to somebody who looks for a moment to go back to
            }
            default -> table.row(event.time(), event.lsn().toString(), "", event.toString(), "");
        }
    }
}
