package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.repository.format.PackClass;

import org.jspecify.annotations.Nullable;

/// Frames of one class, laid into packs one after the other. Not thread-safe.
final class PackStream {
    private final Vault vault;
    private final PackClass packClass;
    private final int targetBytes;
    private final PackUploads uploads;
    private @Nullable PackBuilder builder;
    private PendingFrame.PendingPack pack;

    PackStream(Vault vault, PackClass packClass, int targetBytes, PackUploads uploads) {
        this.vault = vault;
        this.packClass = packClass;
        this.targetBytes = targetBytes;
        this.uploads = uploads;
        this.pack = new PendingFrame.PendingPack(packClass);
    }

    PendingFrame append(
            FrameCoder coder, FrameKind kind, byte[] meta, byte[] content, int offset, int length) {
        PackBuilder current = builder;
        if (current != null && !current.hasRoomFor(meta.length, length)) {
            finish(coder);
            current = null;
        }
        if (current == null) {
            current = new PackBuilder(vault.newSeal(ObjectType.PACK), targetBytes);
            builder = current;
            pack = new PendingFrame.PendingPack(packClass);
        }
        PackBuilder.Spot spot = current.append(coder, kind, meta, content, offset, length);
        return new PendingFrame(pack, spot.number(), spot.offset(), spot.length());
    }

    /// Ends the pack that is being filled, if any, and sends it off.
    void finish(FrameCoder coder) {
        PackBuilder current = builder;
        if (current == null) {
            return;
        }
        builder = null;
        PackBuilder.Finished finished = current.finish(coder);
        uploads.put(packClass, finished);
        pack.named(finished.id());
    }
}
