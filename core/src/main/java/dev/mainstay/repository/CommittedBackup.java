package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;

/// A backup that exists: the body of its commit record (docs/format.md section 9).
///
/// @param type `full` or `incremental`
/// @param details what the engine recorded about the source at that time
/// @param manifest the frames that hold its entries, in order
/// @param catalog the frames that hold its catalog snapshot, in order
public record CommittedBackup(
        BackupId id,
        long sequence,
        String type,
        Instant begin,
        Instant end,
        Json details,
        Json statistics,
        List<FrameRef> manifest,
        List<FrameRef> catalog) {

    static Json frames(List<FrameRef> frames, Json into, String key) {
        return into.put(
                key,
                frames.stream()
                        .map(
                                frame ->
                                        Json.object()
                                                .put("class", frame.packClass().folder())
                                                .put("pack", frame.pack().hex())
                                                .put("number", frame.number())
                                                .put("offset", frame.offset())
                                                .put("length", frame.length()))
                        .toList());
    }

    private static List<FrameRef> frames(Json body, String key) {
        return body.objects(key).stream()
                .map(
                        frame ->
                                new FrameRef(
                                        PackClass.parse(frame.string("class")),
                                        PackId.parse(frame.string("pack")),
                                        (int) frame.number("number"),
                                        frame.number("offset"),
                                        (int) frame.number("length")))
                .toList();
    }

    /// @throws MainstayException OBJECT_DAMAGED if it is not what a commit record says
    static CommittedBackup read(RecordChain.Event record) {
        Json body = record.body();
        BackupId id = Names.backupOfSlot(record.object()).orElseThrow(() -> wrong(record, "name"));
        if (!body.string("backup").equals(id.text())) {
            throw wrong(record, "backup");
        }
        try {
            return read(record, id, body);
        } catch (IllegalArgumentException | DateTimeException impossible) {
            throw wrong(record, String.valueOf(impossible.getMessage()));
        }
    }

    private static MainstayException wrong(RecordChain.Event record, String what) {
        return new MainstayException(
                ErrorCode.OBJECT_DAMAGED,
                "commit record " + record.object() + " is malformed: " + what);
    }

    private static CommittedBackup read(RecordChain.Event record, BackupId id, Json body) {
        return new CommittedBackup(
                id,
                record.sequence(),
                body.string("backup-type"),
                Instant.parse(body.string("begin")),
                Instant.parse(body.string("end")),
                body.object("details"),
                body.object("statistics"),
                frames(body, "manifest"),
                frames(body, "catalog"));
    }
}
