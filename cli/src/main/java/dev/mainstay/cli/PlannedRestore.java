package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.restore.RestorePlan;

import tools.jackson.databind.JsonNode;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What is told of a restore: of one that is planned here, and of one that a server does.
///
/// @param timeline as `recovery_target_timeline` has it
/// @param tablespaces that go elsewhere
record PlannedRestore(
        String backup,
        String directory,
        String target,
        String timeline,
        String endLsn,
        Optional<Instant> endTime,
        long files,
        ByteSize size,
        Wal wal,
        String proof,
        List<String> tablespaces,
        List<String> warnings) {
    /// What is replayed.
    record Wal(String first, String last, long segments) {}

    static PlannedRestore of(RestorePlan plan) {
        return new PlannedRestore(
                plan.backup().id().text(),
                plan.request().directory().toString(),
                plan.request().recovery().target().toString(),
                plan.replay().timelineSetting(),
                plan.replay().end().toString(),
                plan.replay().time(),
                plan.volume().files(),
                plan.volume().size(),
                new Wal(
                        plan.replay().first().toString(),
                        plan.replay().last().toString(),
                        plan.replay().segments()),
                plan.proof(),
                plan.tablespaces().stream()
                        .map(each -> moved(each.from(), each.to().toString()))
                        .toList(),
                plan.warnings());
    }

    /// @param plan the answer of `POST /api/v1/restores/plan`, or what a validation says in the end
    static PlannedRestore of(JsonNode plan) {
        return new PlannedRestore(
                plan.path("backup").asString(),
                plan.path("directory").asString(),
                plan.path("target").asString(),
                plan.path("timeline").asString(),
                plan.path("endLsn").asString(),
                RemoteServer.time(plan.path("endTime")),
                plan.path("files").asLong(0),
                ByteSize.of(plan.path("sizeBytes").asLong(plan.path("bytes").asLong(0))),
                new Wal(
                        plan.path("walFirst").asString(),
                        plan.path("walLast").asString(),
                        plan.path("walSegments").asLong(0)),
                plan.path("proof").asString(),
                plan.path("tablespaces").values().stream()
                        .map(
                                each ->
                                        moved(
                                                each.path("from").asString(),
                                                each.path("to").asString()))
                        .toList(),
                RemoteServer.texts(plan.path("warnings")));
    }

    private static String moved(String from, String to) {
        return from + " → " + to;
    }

    /// The same, as far as it was done: the log may have grown since it was planned.
    ///
    /// @param result of the job
    PlannedRestore done(JsonNode result) {
        return new PlannedRestore(
                result.path("backup").asString(backup),
                result.path("directory").asString(directory),
                result.path("target").asString(target),
                timeline,
                result.path("endLsn").asString(endLsn),
                RemoteServer.time(result.path("endTime")),
                files,
                size,
                wal,
                proof,
                tablespaces,
                warnings);
    }

    Document describe(Document document) {
        document.add("backup", backup)
                .add("directory", directory)
                .add("target", target)
                .add("timeline", timeline)
                .add("endLsn", endLsn)
                .add("endTime", endTime)
                .add("files", files)
                .add("size", size)
                .add("walFirst", wal.first)
                .add("walLast", wal.last)
                .add("walSegments", wal.segments)
                .add("proof", proof);
        if (!tablespaces.isEmpty()) {
            document.addAll("tablespaces", tablespaces);
        }
        if (!warnings.isEmpty()) {
            document.addAll("warnings", warnings);
        }
        return document;
    }
}
