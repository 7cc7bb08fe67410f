package dev.mainstay.cli;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.SourceId;
import dev.mainstay.engine.retention.RepositoryUsage;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.AnnouncedBackup;
import dev.mainstay.repository.Prune;

import tools.jackson.databind.JsonNode;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;

/// What a server's answers say, as what commands that work here find out themselves: so that both
/// tell it in the same way.
final class RemoteFacts {
    private RemoteFacts() {}

    /// @param plan the answer of `GET /api/v1/prune`
    static Prune.Report prune(JsonNode plan) {
        JsonNode wal = plan.path("wal");
        JsonNode compacted = plan.path("compacted");
        return new Prune.Report(
                amount(plan.path("removed")),
                plan.path("leftovers").asLong(0),
                amount(plan.path("waiting")),
                backups(plan.path("running")),
                backups(plan.path("givenUp")),
                new Prune.Amount(0, ByteSize.of(0)),
                amount(plan.path("left")),
                new Prune.Wal(
                        wal.path("segments").asLong(0),
                        size(wal, "sizeBytes"),
                        wal.path("waiting").asLong(0),
                        0),
                new Prune.Compacted(
                        amount(compacted.path("packs")),
                        size(compacted, "writtenBytes"),
                        compacted.path("later").asLong(0),
                        0));
    }

    private static Prune.Amount amount(JsonNode amount) {
        return new Prune.Amount(amount.path("count").asLong(0), size(amount, "sizeBytes"));
    }

    private static ByteSize size(JsonNode object, String name) {
        return ByteSize.of(object.path(name).asLong(0));
    }

    private static List<AnnouncedBackup> backups(JsonNode backups) {
        return backups.values().stream()
                .map(
                        each ->
                                new AnnouncedBackup(
                                        SourceId.parse(each.path("sourceId").asString()),
                                        each.path("source").asString(),
                                        BackupId.parse(each.path("backup").asString())))
                .toList();
    }

    /// @param usage the answer of `GET /api/v1/usage`
    static RepositoryUsage usage(JsonNode usage) {
        Map<String, Amount> kinds = new LinkedHashMap<>();
        usage.path("kinds")
                .forEach(
                        each ->
                                kinds.put(
                                        each.path("kind").asString(),
                                        new Amount(
                                                each.path("objects").asLong(0),
                                                each.path("sizeBytes").asLong(0))));
        JsonNode growth = usage.path("growthAWeekBytes");
        return new RepositoryUsage(
                new Amount(usage.path("objects").asLong(0), usage.path("sizeBytes").asLong(0)),
                kinds,
                usage.path("sources").values().stream().map(RemoteFacts::source).toList(),
                usage.path("backups").values().stream().map(RemoteFacts::backup).toList(),
                bytes(usage, "unneededPacksBytes"),
                growth.isNumber() ? Optional.of(growth.asLong()) : Optional.empty());
    }

    private static RepositoryUsage.OfSource source(JsonNode source) {
        JsonNode compression = source.path("compression");
        return new RepositoryUsage.OfSource(
                source.path("source").asString(),
                source.path("backups").asInt(0),
                source.path("logicalBytes").asLong(0),
                bytes(source, "packsBytes"),
                bytes(source, "walBytes"),
                compression.isNumber()
                        ? OptionalDouble.of(compression.asDouble())
                        : OptionalDouble.empty());
    }

    private static RepositoryUsage.OfBackup backup(JsonNode backup) {
        return new RepositoryUsage.OfBackup(
                backup.path("source").asString(),
                BackupId.parse(backup.path("backup").asString()),
                backup.path("type").asString(),
                Instant.parse(backup.path("ended").asString()),
                backup.path("logicalBytes").asLong(0),
                backup.path("storedBytes").asLong(0),
                bytes(backup, "aloneBytes"));
    }

    /// Of which nobody asks how many objects hold them.
    private static Amount bytes(JsonNode object, String name) {
        return new Amount(0, object.path(name).asLong(0));
    }
}
