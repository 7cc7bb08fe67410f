package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import org.jspecify.annotations.Nullable;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.Objects;
import java.util.function.Consumer;

/// How every restore ends: everything durable and proved, the marks gone, the control file last.
final class Completion {
    private final RestorePlan plan;
    private final Places places;
    private final ManifestEntry control;
    private final Ownership ownership;
    private final TurnedUnlogged unlogged;

    private Completion(
            RestorePlan plan,
            Places places,
            ManifestEntry control,
            Ownership ownership,
            TurnedUnlogged unlogged) {
        this.plan = plan;
        this.places = places;
        this.control = control;
        this.ownership = ownership;
        this.unlogged = unlogged;
    }

    /// Reads all entries once and learns from them what the end needs.
    ///
    /// @param unlogged what is not restored
    static Completion read(
            RestorePlan plan,
            Places places,
            BackupReader reader,
            TurnedUnlogged unlogged,
            Consumer<ManifestEntry> each) {
        @Nullable ManifestEntry[] known = new ManifestEntry[2];
        reader.entries(
                entry -> {
                    if (entry.path().equals(ControlFile.PATH)) {
                        known[0] = entry;
                    }
                    if (entry.path().isEmpty()) {
                        known[1] = entry;
                    }
                    each.accept(entry);
                });
        ManifestEntry control = Objects.requireNonNull(known[0]);
        ManifestEntry root = known[1];
        return new Completion(
                plan,
                places,
                control,
                new Ownership(places.directory(), root == null ? control : root),
                unlogged);
    }

    Ownership ownership() {
        return ownership;
    }

    /// A link that is no tablespace's becomes the directory it led to: where that is now may be in
    /// use by the cluster the backup was taken of.
    static boolean isDirectory(ManifestEntry entry) {
        return switch (entry.content()) {
            case Content.Directory _ -> true;
            case Content.Link _ -> Places.tablespaceOid(entry.path()).isEmpty();
            case Content.Paged _, Content.Chunked _ -> false;
        };
    }

    /// @param whole not if files are without content, which the manifest of a backup does not know
    void run(BackupReader reader, Instant now, boolean whole, RestoreFiles.Step unmark) {
        Finish finish = new Finish(plan, places, ownership);
        finish.labels(now);
        byte[] bytes = controlFile(reader);
        ControlFile.parse(bytes);
        if (whole) {
            finish.manifest(reader, unlogged);
        }
        reader.entries(
                entry -> {
                    if (isDirectory(entry)) {
                        finish.directory(entry);
                    }
                });
        finish.own();
        finish.stage(control, bytes);
        RestoreFiles.attempt("unmark " + places.directory(), unmark);
        finish.publish();
    }

    private static Frame chunk(PackReader packs, ManifestEntry.ChunkRef chunk) {
        return packs.read(chunk.frame(), (_, frame) -> FrameProof.isMeant(chunk, frame));
    }

    private byte[] controlFile(BackupReader reader) {
        if (!(control.content() instanceof Content.Chunked chunked)) {
            throw new MainstayException(
                    ErrorCode.RESTORE_CONTENT_WRONG, ControlFile.PATH + " is no plain file");
        }
        FileWork file =
                new FileWork(
                        control, places.of(control.path()), new FileWork.Chunks(chunked.chunks()));
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        try (PackReader packs = reader.newPackReader()) {
            for (int i = 0; i < chunked.chunks().size(); i++) {
                file.add(
                        i,
                        chunk(packs, chunked.chunks().get(i)),
                        (_, bytes, offset, length, _) -> content.write(bytes, offset, length));
            }
        }
        file.demandWhole();
        return content.toByteArray();
    }
}
