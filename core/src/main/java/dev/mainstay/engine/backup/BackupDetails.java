package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.format.Json;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/// What a backup's commit record says about the PostgreSQL cluster (docs/format.md section 9,
/// `details`).
///
/// @param startLsn where replay of a restore begins
/// @param stopLsn a restore is consistent once this is replayed
/// @param tablespaceMap content of `tablespace_map`; empty without tablespaces
public record BackupDetails(
        SystemId systemId,
        TimelineId timeline,
        Lsn startLsn,
        Lsn stopLsn,
        Instant startTime,
        Instant stopTime,
        Server server,
        Layout layout,
        String dataDirectory,
        String backupLabel,
        String tablespaceMap,
        List<Tablespace> tablespaces,
        List<String> externalFiles,
        Judgement judgement) {

    /// @param versionNum as `server_version_num`
    public record Server(int versionNum, String version, long catalogVersion, int controlVersion) {}

    /// Sizes in bytes, but `segmentPages`: pages in a full relation segment file.
    public record Layout(
            int blockSize,
            long segmentPages,
            int walSegmentSize,
            int walBlockSize,
            boolean checksums) {}

    /// @param location the directory that `pg_tblspc/oid` leads to
    public record Tablespace(String oid, String location) {}

    /// What the backup found wrong.
    ///
    /// @param damagedPages the first ones; `damagedPageCount` counts all
    /// @param vanished files that were listed and then gone, other than dropped relations
    public record Judgement(
            List<Damage> damagedPages,
            long damagedPageCount,
            List<String> vanished,
            List<String> warnings) {
        public String status() {
            return damagedPageCount > 0 ? "damaged-pages" : "complete";
        }
    }

    /// A page whose checksum is wrong: relation segment file and block of the relation.
    public record Damage(String path, long block, int found, int expected) {}

    /// First segment a restore needs.
    public WalSegment startSegment() {
        return WalSegment.containing(timeline, startLsn, layout.walSegmentSize);
    }

    /// Last segment a restore needs to become consistent.
    public WalSegment stopSegment() {
        return WalSegment.containing(timeline, stopLsn.plus(-1), layout.walSegmentSize);
    }

    public Json toJson() {
        return Json.object()
                .put("systemId", systemId.toString())
                .put("timeline", Integer.toUnsignedLong(timeline.value()))
                .put("startLsn", startLsn.toString())
                .put("stopLsn", stopLsn.toString())
                .put("startTime", startTime.toString())
                .put("stopTime", stopTime.toString())
                .put("serverVersionNum", server.versionNum)
                .put("serverVersion", server.version)
                .put("catalogVersion", server.catalogVersion)
                .put("controlVersion", server.controlVersion)
                .put("blockSize", layout.blockSize)
                .put("segmentSizeBlocks", layout.segmentPages)
                .put("walSegmentSize", layout.walSegmentSize)
                .put("walBlockSize", layout.walBlockSize)
                .put("checksums", layout.checksums)
                .put("dataDirectory", dataDirectory)
                .put("backupLabel", backupLabel)
                .put("tablespaceMap", tablespaceMap)
                .put(
                        "tablespaces",
                        tablespaces.stream()
                                .map(
                                        each ->
                                                Json.object()
                                                        .put("oid", each.oid)
                                                        .put("location", each.location))
                                .toList())
                .putStrings("externalFiles", externalFiles)
                .put("status", judgement.status())
                .put(
                        "damagedPages",
                        judgement.damagedPages.stream()
                                .map(
                                        page ->
                                                Json.object()
                                                        .put("path", page.path)
                                                        .put("block", page.block)
                                                        .put("found", page.found)
                                                        .put("expected", page.expected))
                                .toList())
                .put("damagedPageCount", judgement.damagedPageCount)
                .putStrings("vanished", judgement.vanished)
                .putStrings("warnings", judgement.warnings);
    }

    /// @throws MainstayException OBJECT_DAMAGED if the record does not say what it should
    public static BackupDetails read(Json json) {
        try {
            return parse(json);
        } catch (IllegalArgumentException | DateTimeException impossible) {
            throw new MainstayException(
                    ErrorCode.OBJECT_DAMAGED,
                    "a commit record says impossible things of its cluster: "
                            + impossible.getMessage(),
                    impossible);
        }
    }

    /// Adds which file `pg_class` is in each database where it is not in the one that initdb gives
    /// it; what reads the log needs it.
    static Json withMovedPgClass(Json details, Map<Long, Long> fileByDatabase) {
        if (!fileByDatabase.isEmpty()) {
            List<Json> moved = new ArrayList<>();
            fileByDatabase.forEach(
                    (database, file) ->
                            moved.add(Json.object().put("database", database).put("file", file)));
            details.put("movedPgClass", moved);
        }
        return details;
    }

    /// What `method` says of a backup over the replication protocol.
    public static final String STREAMED = "base-backup";

    /// Files were read in the data directory.
    public static final String LOCAL = "files";

    /// What `from` says of a backup of a standby.
    public static final String STANDBY = "standby";

    /// Whose files were read: `primary` or [#STANDBY].
    public static String from(Json details) {
        return details.has("from") ? details.string("from") : "primary";
    }

    /// Adds that the files came over the replication protocol.
    ///
    /// @param bytes how much was received, also over streams that were given up
    static Json withReceived(Json details, long bytes) {
        return details.put("method", STREAMED).put("received", bytes);
    }

    /// How many bytes came over the replication protocol; empty where that is not recorded.
    public static OptionalLong received(Json details) {
        return details.has("received")
                ? OptionalLong.of(details.number("received"))
                : OptionalLong.empty();
    }

    /// Which way the files came: [#LOCAL] or [#STREAMED].
    public static String method(Json details) {
        return details.has("method") ? details.string("method") : LOCAL;
    }

    /// File by database OID, where it is not the one that initdb gives `pg_class`.
    public static Map<Long, Long> movedPgClass(Json details) {
        Map<Long, Long> files = new TreeMap<>();
        if (details.has("movedPgClass")) {
            details.objects("movedPgClass")
                    .forEach(each -> files.put(each.number("database"), each.number("file")));
        }
        return files;
    }

    /// What a backup's record says, if it can be understood.
    public static Optional<BackupDetails> find(CommittedBackup backup) {
        try {
            return Optional.of(read(backup.details()));
        } catch (MainstayException damaged) {
            return Optional.empty();
        }
    }

    private static BackupDetails parse(Json json) {
        return new BackupDetails(
                SystemId.parse(json.string("systemId")),
                TimelineId.of((int) json.number("timeline")),
                Lsn.parse(json.string("startLsn")),
                Lsn.parse(json.string("stopLsn")),
                Instant.parse(json.string("startTime")),
                Instant.parse(json.string("stopTime")),
                new Server(
                        (int) json.number("serverVersionNum"),
                        json.string("serverVersion"),
                        json.number("catalogVersion"),
                        (int) json.number("controlVersion")),
                new Layout(
                        (int) json.number("blockSize"),
                        json.number("segmentSizeBlocks"),
                        (int) json.number("walSegmentSize"),
                        (int) json.number("walBlockSize"),
                        json.bool("checksums")),
                json.string("dataDirectory"),
                json.string("backupLabel"),
                json.string("tablespaceMap"),
                json.objects("tablespaces").stream()
                        .map(each -> new Tablespace(each.string("oid"), each.string("location")))
                        .toList(),
                json.strings("externalFiles"),
                new Judgement(
                        json.objects("damagedPages").stream()
                                .map(
                                        page ->
                                                new Damage(
                                                        page.string("path"),
                                                        page.number("block"),
                                                        (int) page.number("found"),
                                                        (int) page.number("expected")))
                                .toList(),
                        json.number("damagedPageCount"),
                        json.strings("vanished"),
                        json.strings("warnings")));
    }
}
