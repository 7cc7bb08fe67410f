package dev.mainstay.repository;

import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import org.jspecify.annotations.Nullable;

/// A frame whose pack may still be filling: the pack's name, a hash of its bytes, is not known
/// before it is finished.
final class PendingFrame {
    /// A pack that is or was filled.
    static final class PendingPack {
        private final PackClass packClass;
        private volatile @Nullable PackId id;

        PendingPack(PackClass packClass) {
            this.packClass = packClass;
        }

        void named(PackId name) {
            id = name;
        }

        boolean isNamed() {
            return id != null;
        }
    }

    private final PendingPack pack;
    private final int number;
    private final long offset;
    private final int length;

    PendingFrame(PendingPack pack, int number, long offset, int length) {
        this.pack = pack;
        this.number = number;
        this.offset = offset;
        this.length = length;
    }

    /// A frame of an earlier backup.
    static PendingFrame of(FrameRef ref) {
        PendingPack pack = new PendingPack(ref.packClass());
        pack.named(ref.pack());
        return new PendingFrame(pack, ref.number(), ref.offset(), ref.length());
    }

    boolean isNamed() {
        return pack.isNamed();
    }

    int length() {
        return length;
    }

    FrameRef ref() {
        PackId id = pack.id;
        if (id == null) {
            throw new IllegalStateException("pack is still open");
        }
        return new FrameRef(pack.packClass, id, number, offset, length);
    }
}
