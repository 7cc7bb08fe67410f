package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.archive.StoredTimeline.Stretch;
import dev.mainstay.engine.archive.ToldTimeline.RestoreCall;
import dev.mainstay.engine.archive.ToldTimeline.Row;
import dev.mainstay.postgres.wal.RelationFile;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.TimelineEvent.Fate;
import dev.mainstay.postgres.wal.TimelineEvent.RelationChanged;
import dev.mainstay.postgres.wal.WalEvent;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What happened in one stretch of the log, each with how to go back to the moment before.
final class TimelineRows {
    private static final int FILES_SHOWN = 4;
    private static final String OWN = "mainstay archive check";

    private final CatalogHistory catalogs;
    private final Stretch stretch;
    private final RestoreCall restore;
    private final List<Row> rows = new ArrayList<>();
    private Instant now;

    /// @param before when the stretch begins, as far as that is known
    TimelineRows(CatalogHistory catalogs, Stretch stretch, RestoreCall restore, Instant before) {
        this.catalogs = catalogs;
        this.stretch = stretch;
        this.restore = restore;
        this.now = before;
    }

    List<Row> rows() {
        // What one transaction did to relations is told together, at its commit.
        List<RelationChanged> transaction = new ArrayList<>();
        for (TimelineEvent event : stretch.events()) {
            if (!transaction.isEmpty() && !event.lsn().equals(transaction.getFirst().lsn())) {
                changed(transaction);
                transaction.clear();
            }
            if (event instanceof RelationChanged change) {
                transaction.add(change);
            } else if (!(event instanceof TimelineEvent.Commits)) {
                other(event);
            }
        }
        changed(transaction);
        return rows;
    }

    private void add(
            TimelineEvent event, Optional<Long> xid, String kind, String text, String command) {
        now = event.time().orElse(now);
        rows.add(
                new Row(
                        now,
                        event.time(),
                        event.lsn(),
                        xid.filter(one -> one != 0).map(String::valueOf).orElse(""),
                        kind,
                        text,
                        command));
    }

    private void changed(List<RelationChanged> transaction) {
        Map<Fate, List<RelationChanged>> byFate = new LinkedHashMap<>();
        transaction.forEach(
                each -> byFate.computeIfAbsent(each.fate(), _ -> new ArrayList<>()).add(each));
        byFate.forEach(this::changed);
    }

    private void changed(Fate fate, List<RelationChanged> changes) {
        List<String> tables = new ArrayList<>();
        List<String> rest = new ArrayList<>();
        List<String> unnamed = new ArrayList<>();
        for (RelationChanged change : changes) {
            Optional<CatalogHistory.Relation> known =
                    catalogs.relation(change.file(), change.lsn());
            if (known.isEmpty()) {
                unnamed.add(change.file().toString());
            } else {
                String name = known.get().name() + " of " + known.get().database();
                (known.get().isTable() ? tables : rest).add(name);
            }
        }
        RelationChanged any = changes.getFirst();
        List<String> named = tables.isEmpty() ? rest : tables;
        String with =
                tables.isEmpty() || rest.isEmpty()
                        ? ""
                        : " (with "
                                + rest.size()
                                + (rest.size() == 1
                                        ? " index or the like)"
                                        : " indexes and the like)");
        for (String name : named) {
            add(
                    any,
                    Optional.of(any.xid()),
                    kind(fate),
                    words(fate) + " " + name + with,
                    lost(any));
        }
        if (!unnamed.isEmpty()) {
            add(
                    any,
                    Optional.of(any.xid()),
                    kind(fate),
                    words(fate) + " " + files(unnamed),
                    lost(any));
        }
    }

    /// No catalog of the time names them.
    private static String files(List<String> files) {
        String shown = String.join(", ", files.subList(0, Math.min(FILES_SHOWN, files.size())));
        int more = files.size() - FILES_SHOWN;
        return (files.size() == 1 ? "file " : files.size() + " files ")
                + shown
                + (more > 0 ? " and " + more + " more" : "");
    }

    private static String kind(Fate fate) {
        return words(fate).replace(' ', '-');
    }

    private static String words(Fate fate) {
        return fate.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private String lost(RelationChanged change) {
        return change.fate() == Fate.REWRITTEN ? "" : before(change.lsn());
    }

    private String before(Lsn lsn) {
        return catalogs.isReachable(stretch, lsn)
                ? restore.before(lsn)
                : "(no backup before it is stored with all WAL up to it)";
    }

    private void other(TimelineEvent event) {
        switch (event) {
            case TimelineEvent.RelationShortened shortened -> {
                // Vacuum gives back pages all the time; only an emptied table is of interest.
                if (shortened.blocks() == 0) {
                    add(
                            event,
                            Optional.of(shortened.xid()),
                            "emptied",
                            "emptied " + name(shortened.file(), shortened.lsn()),
                            before(shortened.lsn()));
                }
            }
            case TimelineEvent.Other noted -> noted(noted);
            case TimelineEvent.RelationChanged _, TimelineEvent.Commits _ -> {}
        }
    }

    private String name(RelationFile file, Lsn at) {
        return catalogs.relation(file, at)
                .map(known -> known.name() + " of " + known.database())
                .orElse("file " + file);
    }

    private String database(long oid, Lsn at) {
        return "database " + catalogs.database(oid, at).orElse("with OID " + oid);
    }

    private void noted(TimelineEvent.Other noted) {
        Optional<Long> xid = Optional.of(noted.xid());
        switch (noted.event()) {
            case WalEvent.RestorePoint point when point.name().startsWith(OWN) -> {
                // made by a backup to see WAL arrive
            }
            case WalEvent.RestorePoint point ->
                    add(
                            noted,
                            xid,
                            "restore-point",
                            "restore point '" + point.name() + "'",
                            catalogs.isReachable(stretch, noted.lsn())
                                    ? restore.at(point.name())
                                    : before(noted.lsn()));
            case WalEvent.DatabaseDropped dropped ->
                    add(
                            noted,
                            xid,
                            "dropped",
                            "dropped " + database(dropped.database(), noted.lsn()),
                            before(noted.lsn()));
            case WalEvent.DatabaseCreated created ->
                    add(
                            noted,
                            xid,
                            "created",
                            "created database with OID " + created.database(),
                            "");
            case WalEvent.TablespaceDropped dropped ->
                    add(
                            noted,
                            xid,
                            "dropped",
                            "dropped tablespace with OID " + dropped.tablespace(),
                            before(noted.lsn()));
            case WalEvent.ParametersChanged changed when changed.isWalLevelMinimal() ->
                    add(
                            noted,
                            xid,
                            "wal-level",
                            "wal_level became minimal: what follows cannot be restored; take a"
                                    + " backup",
                            "");
            default -> {
                // of no use to somebody who looks for a moment to go back to
            }
        }
    }
}
