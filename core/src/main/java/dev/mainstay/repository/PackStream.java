package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackBuilder;
import dev.mainstay.repository.format.PackClass;

import org.jspecify.annotations.Nullable;

/// Frames of one class, laid into packs one after the other. Any number of threads append, each
/// with a coder of its own; they compress and seal side by side, so that one pack at a time is
/// filled however many they are.
final class PackStream {
    private final Vault vault;
    private final PackClass packClass;
    private final int targetBytes;
    private final PackUploads uploads;
    private @Nullable Filling filling;

    private record Filling(PackBuilder builder, PendingFrame.PendingPack pack) {}

    private record Place(Filling in, PackBuilder.Spot spot) {}

    PackStream(Vault vault, PackClass packClass, int targetBytes, PackUploads uploads) {
        this.vault = vault;
        this.packClass = packClass;
        this.targetBytes = targetBytes;
        this.uploads = uploads;
    }

    PendingFrame append(
            FrameCoder coder, FrameKind kind, byte[] meta, byte[] content, int offset, int length) {
        Place place = reserve(kind, meta, coder.compress(kind, meta, content, offset, length));
        PackBuilder builder = place.in.builder;
        PackBuilder.Spot spot = place.spot;
        try {
            builder.bring(spot, coder.seal(builder.seal(), spot.number(), spot.offset()));
        } catch (RuntimeException | Error failed) {
            builder.abandon(failed);
            throw failed;
        }
        return new PendingFrame(place.in.pack, spot.number(), spot.offset(), spot.length());
    }

    /// Waits for an upload under the lock: so no more packs are in memory than uploads may be on
    /// their way, and one.
    private synchronized Place reserve(FrameKind kind, byte[] meta, int length) {
        Filling current = filling;
        PackBuilder.Spot spot =
                current == null ? null : current.builder.reserve(kind, meta, length);
        if (current == null || spot == null) {
            finish();
            current =
                    new Filling(
                            new PackBuilder(
                                    vault.newSeal(ObjectType.PACK), targetBytes, uploads.blocks()),
                            new PendingFrame.PendingPack(packClass));
            filling = current;
            spot = current.builder.reserve(kind, meta, length);
            if (spot == null) {
                throw new AssertionError("an empty pack takes any frame");
            }
        }
        return new Place(current, spot);
    }

    /// Ends the pack that is being filled, if any, and sends it off.
    synchronized void finish() {
        Filling current = filling;
        if (current != null) {
            filling = null;
            uploads.put(current.builder, current.pack);
        }
    }
}
