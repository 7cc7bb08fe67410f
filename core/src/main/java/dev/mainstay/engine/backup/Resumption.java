package dev.mainstay.engine.backup;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.cluster.BackupSession;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.BegunBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.format.Json;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Goes on from backups that were begun and never finished: what they stored is stored, and what
/// the log does not name since they began is not read again.
///
/// A page that such a backup stored is as good as one of a finished earlier backup: it was read
/// after that backup's start, so whatever happened to it since is in the log from there on.
final class Resumption {
    /// Of several attempts one after the other, each went on from the one before.
    private static final int MOST = 4;

    private static final int ATTEMPTS = 50;

    /// What a backup puts down, about itself and the source.
    ///
    /// @param type of the backup, and `parent` what it builds on
    /// @param everything whether it read all that it stored, asking no log
    /// @param damaged whether it found damaged pages, which have to be told again
    /// @param upTo no page that it stored has a later LSN
    private record Begun(
            Origin origin,
            String type,
            Optional<String> parent,
            Lsn start,
            Lsn upTo,
            boolean everything,
            boolean damaged) {
        Json toJson() {
            Json json =
                    Json.object()
                            .put("systemId", origin.systemId().toString())
                            .put("timeline", (long) origin.timeline().value())
                            .put("blockSize", origin.layout().blockSize())
                            .put("checksums", origin.layout().checksums())
                            .put("type", type)
                            .put("startLsn", start.toString())
                            .put("upToLsn", upTo.toString())
                            .put("everything", everything)
                            .put("damaged", damaged);
            parent.ifPresent(id -> json.put("parent", id));
            return json;
        }
    }

    private Resumption() {}

    /// What is put down of a backup that is being taken.
    static Json details(
            Origin origin,
            Optional<Basis.Parent> parent,
            BackupSession.Start start,
            Lsn upTo,
            Optional<KnownChanges> known,
            BackupFindings findings) {
        return new Begun(
                        origin,
                        type(parent),
                        parent.map(each -> each.backup().id().text()),
                        start.lsn(),
                        upTo,
                        known.map(KnownChanges::readsEverything).orElse(true),
                        findings.judgement().damagedPageCount() > 0)
                .toJson();
    }

    private static String type(Optional<Basis.Parent> parent) {
        return parent.isPresent() ? "incremental" : "full";
    }

    /// The backups to go on from, newest first, each taken over: of this cluster and timeline, of
    /// the same type, on the same parent. One that may still be running is left alone.
    ///
    /// @param sql a session of the primary
    /// @param own the server's processes of other sessions that this backup has there
    static List<BegunBackup> find(
            ProtectedSource source,
            Origin origin,
            Optional<Basis.Parent> parent,
            Connection sql,
            Set<Integer> own,
            Waiter waiter,
            Progress progress) {
        List<BegunBackup> like =
                source.begunBackups().stream()
                        .filter(begun -> isLike(begun.details(), origin, parent))
                        .filter(begun -> isNews(begun, source, parent))
                        .limit(MOST)
                        .toList();
        if (like.stream().anyMatch(begun -> !begun.givenUp()) && isOtherRunning(sql, own, waiter)) {
            progress.note(
                    "another backup is running on this server: nothing is taken over from those"
                            + " that were not finished");
            return List.of();
        }
        List<BegunBackup> taken = new ArrayList<>();
        for (BegunBackup begun : like) {
            if (begun.takeOver(source)) {
                progress.note("going on from backup " + begun.id() + ", which was not finished");
                taken.add(begun);
            }
        }
        return taken;
    }

    private static boolean isLike(Json details, Origin origin, Optional<Basis.Parent> parent) {
        Optional<String> begunOn =
                details.has("parent") ? Optional.of(details.string("parent")) : Optional.empty();
        return details.string("systemId").equals(origin.systemId().toString())
                && details.number("timeline") == origin.timeline().value()
                && details.number("blockSize") == origin.layout().blockSize()
                && details.bool("checksums") == origin.layout().checksums()
                && details.string("type").equals(type(parent))
                && begunOn.equals(parent.map(each -> each.backup().id().text()));
    }

    /// A full backup shares nothing with those that were finished before it.
    private static boolean isNews(
            BegunBackup begun, ProtectedSource source, Optional<Basis.Parent> parent) {
        if (parent.isPresent()) {
            return true; // no incremental has come after its parent
        }
        RecordChain chain = source.records();
        return chain.backups().stream()
                .filter(each -> each.type().equals("full"))
                .noneMatch(each -> each.id().text().compareTo(begun.id().text()) > 0);
    }

    /// The session of a process that was killed ends soon, but not at once.
    private static boolean isOtherRunning(Connection sql, Set<Integer> own, Waiter waiter) {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            if (!hasOthers(sql, own)) {
                return false;
            }
            waiter.await(attempt);
        }
        return true;
    }

    private static boolean hasOthers(Connection sql, Set<Integer> own) {
        try (PreparedStatement statement =
                sql.prepareStatement(
                        "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name ="
                                + " ? AND pid <> pg_catalog.pg_backend_pid()")) {
            statement.setString(1, ClusterBackup.APPLICATION);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    if (!own.contains(row.getInt(1))) {
                        return true;
                    }
                }
                return false;
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for other backups", failed);
        }
    }

    /// What is known of the changes since each of them.
    ///
    /// @param known since the parent; where everything is read on purpose, only what was read on
    ///   purpose too need not be read again
    static Map<BackupId, KnownChanges> changes(
            List<BegunBackup> begun,
            Optional<KnownChanges> known,
            Supplier<ChangeSearch> search,
            BackupSession.Start start) {
        boolean everything = known.map(KnownChanges::readsEverything).orElse(true);
        Map<BackupId, KnownChanges> changes = new LinkedHashMap<>();
        for (BegunBackup each : begun) {
            Json details = each.details();
            changes.put(each.id(), changes(details, everything, search, start));
        }
        return changes;
    }

    private static KnownChanges changes(
            Json details,
            boolean everything,
            Supplier<ChangeSearch> search,
            BackupSession.Start start) {
        if (details.bool("damaged")) {
            return KnownChanges.unknown("it found damaged pages");
        }
        if (everything && !details.bool("everything")) {
            return KnownChanges.unknown("it did not read everything");
        }
        return KnownChanges.find(
                new ChangeSearch.Earlier(
                        TimelineId.of((int) details.number("timeline")),
                        Lsn.parse(details.string("startLsn")),
                        Lsn.parse(details.string("upToLsn"))),
                search.get(),
                start);
    }

    /// What the record says: each backup gone on from, and what was known of changes since.
    static List<Json> toJson(Map<BackupId, KnownChanges> resumed) {
        return resumed.entrySet().stream()
                .map(each -> each.getValue().changes().toJson().put("backup", each.getKey().text()))
                .toList();
    }

    /// The same where every page was compared with what they stored.
    static List<Json> allCompared(List<BegunBackup> begun) {
        Map<BackupId, KnownChanges> unknown = new LinkedHashMap<>();
        begun.forEach(
                each ->
                        unknown.put(
                                each.id(),
                                KnownChanges.unknown(
                                        "every page came over the replication protocol")));
        return toJson(unknown);
    }
}
