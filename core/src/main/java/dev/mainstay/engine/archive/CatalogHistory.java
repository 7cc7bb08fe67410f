package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.cluster.CatalogEntry;
import dev.mainstay.postgres.cluster.CatalogLine;
import dev.mainstay.postgres.wal.RelationFile;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What relations and databases were called, by the catalogs that backups keep: for a moment of the
/// log, that of the newest backup before it. Catalogs are read when they are first needed.
public final class CatalogHistory {
    private static final int KEPT = 2;

    /// @param name qualified by its schema
    /// @param kind as `pg_class.relkind`
    public record Relation(String name, String database, char kind) {
        /// Whether people speak of it: a table, partition, materialized view, rather than an index,
        /// a sequence or what TOAST needs.
        public boolean isTable() {
            return kind == 'r' || kind == 'm' || kind == 'p';
        }
    }

    private record Backup(CommittedBackup committed, BackupDetails details) {}

    private static final class Catalog {
        final Map<RelationFile, Relation> relations = new HashMap<>();
        final Map<Long, String> databases = new HashMap<>();
    }

    private final ArchivedTimelines timelines;
    private final List<Backup> newestFirst = new ArrayList<>();
    private final Map<Integer, Catalog> read =
            new LinkedHashMap<>(4, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<Integer, Catalog> eldest) {
                    return size() > KEPT;
                }
            };

    /// @param history the timeline whose log is looked at
    public CatalogHistory(ArchivedTimelines timelines, TimelineHistory history) {
        this.timelines = timelines;
        for (CommittedBackup committed : timelines.backups().reversed()) {
            BackupDetails details = BackupDetails.read(committed.details());
            if (history.isOnPath(details.timeline(), details.stopLsn())) {
                newestFirst.add(new Backup(committed, details));
            }
        }
    }

    /// Whether a restore of some backup can stop at `target`.
    ///
    /// @param stretch the stretch of the log that holds the target
    public boolean isReachable(StoredTimeline.Stretch stretch, Lsn target) {
        return newestFirst.stream()
                .map(Backup::details)
                .anyMatch(
                        details ->
                                !details.stopLsn().isAfter(target)
                                        && !details.startLsn().isBefore(stretch.begin()));
    }

    /// The relation that had this file at `at`.
    public Optional<Relation> relation(RelationFile file, Lsn at) {
        return find(at, catalog -> Optional.ofNullable(catalog.relations.get(file)));
    }

    public Optional<String> database(long oid, Lsn at) {
        return find(at, catalog -> Optional.ofNullable(catalog.databases.get(oid)));
    }

    @FunctionalInterface
    private interface Lookup<T> {
        Optional<T> in(Catalog catalog);
    }

    /// A catalog is read somewhere between a backup's start and its end. So one that began before
    /// may have seen too late a state, and the one before that is asked too; none older, because
    /// file numbers are used again.
    private <T> Optional<T> find(Lsn at, Lookup<T> lookup) {
        for (int i = 0; i < newestFirst.size(); i++) {
            BackupDetails details = newestFirst.get(i).details;
            if (details.startLsn().isBefore(at)) {
                Optional<T> found = lookup.in(catalog(i));
                if (found.isPresent() || details.stopLsn().isBefore(at)) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    private Catalog catalog(int index) {
        Catalog known = read.get(index);
        if (known != null) {
            return known;
        }
        Catalog catalog = read(newestFirst.get(index).committed);
        read.put(index, catalog);
        return catalog;
    }

    /// A database's entry comes after those of its relations.
    private Catalog read(CommittedBackup backup) {
        Catalog catalog = new Catalog();
        Map<RelationFile, CatalogEntry.Relation> relations = new HashMap<>();
        try (BackupReader reader = timelines.source().read(backup)) {
            reader.catalog(
                    part ->
                            CatalogLine.parseAll(
                                    part,
                                    entry -> {
                                        if (entry instanceof CatalogEntry.Relation relation) {
                                            file(relation)
                                                    .ifPresent(
                                                            file -> relations.put(file, relation));
                                        } else if (entry instanceof CatalogEntry.Database one) {
                                            catalog.databases.put(one.oid(), one.name());
                                        }
                                    }));
        }
        relations.forEach(
                (file, relation) ->
                        catalog.relations.put(
                                file,
                                new Relation(
                                        relation.schema() + "." + relation.name(),
                                        catalog.databases.getOrDefault(
                                                relation.databaseOid(),
                                                String.valueOf(relation.databaseOid())),
                                        relation.kind())));
        return catalog;
    }

    private static Optional<RelationFile> file(CatalogEntry.Relation relation) {
        return relation.file()
                .map(
                        file ->
                                new RelationFile(
                                        file.tablespaceOid(),
                                        file.databaseOid(),
                                        file.relfilenode()));
    }
}
