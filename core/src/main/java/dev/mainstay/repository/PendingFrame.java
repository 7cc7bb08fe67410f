package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackClass;
import dev.mainstay.repository.format.PackId;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/// A frame whose pack may still be filling: the pack's name, a hash of its bytes, is not known
/// before it is finished.
final class PendingFrame {
    /// A pack that is or was filled.
    static final class PendingPack {
        final PackClass packClass;
        private final CompletableFuture<PackId> id = new CompletableFuture<>();
        private volatile boolean stored;

        PendingPack(PackClass packClass) {
            this.packClass = packClass;
        }

        void named(PackId name) {
            id.complete(name);
        }

        /// The pack is durable.
        void stored() {
            stored = true;
        }

        /// The pack will have no name; whoever waits for it fails as well.
        void lost(Throwable why) {
            id.completeExceptionally(why);
        }

        boolean isNamed() {
            return id.isDone();
        }

        private PackId await() {
            try {
                return id.get();
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                throw new MainstayException(
                        ErrorCode.INTERRUPTED, "the backup was interrupted", interrupted);
            } catch (ExecutionException lost) {
                throw PackUploads.rethrown(Objects.requireNonNullElse(lost.getCause(), lost));
            }
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
        pack.stored();
        return new PendingFrame(pack, ref.number(), ref.offset(), ref.length());
    }

    boolean isNamed() {
        return pack.isNamed();
    }

    /// Whether its pack is durable.
    boolean isStored() {
        return pack.stored;
    }

    int length() {
        return length;
    }

    /// Waits for the pack's name, once the pack is on its way.
    FrameRef ref() {
        return new FrameRef(pack.packClass, pack.await(), number, offset, length);
    }
}
