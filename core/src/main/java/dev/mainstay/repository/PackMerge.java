package dev.mainstay.repository;

import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.ObjectHeader;
import dev.mainstay.repository.format.ObjectSeal;
import dev.mainstay.repository.format.ObjectType;
import dev.mainstay.repository.format.PackId;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Puts a pack together from several that are damaged in different places: each frame from where it
/// opens. The trailer follows from the frames, and the pack's name says whether all of it is right.
final class PackMerge {
    private final Repository repository;
    private final Map<SourceId, ProtectedSource> known;

    PackMerge(Repository repository, Map<SourceId, ProtectedSource> known) {
        this.repository = repository;
        this.known = known;
    }

    /// @param damaged what is there of the pack, in several places
    Optional<byte[]> merge(String name, PackId id, List<byte[]> damaged) {
        for (byte[] first : damaged) {
            Optional<byte[]> merged =
                    seal(name, first).flatMap(seal -> merge(name, seal, first, damaged));
            if (merged.filter(bytes -> isWhole(bytes, id)).isPresent()) {
                return merged;
            }
        }
        return Optional.empty();
    }

    private static boolean isWhole(byte[] bytes, PackId id) {
        return Arrays.equals(Bytes.sha256(bytes, 0, bytes.length), id.sha256());
    }

    private Optional<ObjectSeal> seal(String name, byte[] bytes) {
        try {
            ObjectHeader header = ObjectHeader.read(name, ObjectType.PACK, bytes);
            return RepositoryCheck.vaultOf(repository, known, header)
                    .map(vault -> vault.openSeal(name, header));
        } catch (MainstayException damaged) {
            return Optional.empty();
        }
    }

    private static Optional<byte[]> merge(
            String name, ObjectSeal seal, byte[] first, List<byte[]> damaged) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(first, 0, ObjectHeader.SIZE);
        try (FrameCoder coder = new FrameCoder(Vault.SMALL_LEVEL)) {
            for (int number = 0; ; number++) {
                int at = whole.size();
                Optional<Found> found = frame(name, seal, coder, number, at, damaged);
                if (found.isEmpty()) {
                    return Optional.empty();
                }
                byte[] from = found.get().bytes;
                whole.write(from, at, found.get().length);
                if (found.get().last) {
                    byte[] trailer = new byte[16];
                    Bytes.putLong(trailer, 0, at);
                    Bytes.putInt(trailer, 8, found.get().length);
                    Bytes.putInt(trailer, 12, number);
                    whole.writeBytes(trailer);
                    return Optional.of(whole.toByteArray());
                }
            }
        }
    }

    private record Found(byte[] bytes, int length, boolean last) {}

    private static Optional<Found> frame(
            String name,
            ObjectSeal seal,
            FrameCoder coder,
            int number,
            int at,
            List<byte[]> damaged) {
        for (byte[] bytes : damaged) {
            long length = bytes.length - at < 4 ? -1 : 4L + Bytes.getInt(bytes, at);
            if (length < FrameCoder.OVERHEAD || length > bytes.length - at) {
                continue;
            }
            try {
                Frame frame = coder.open(name, seal, number, at, bytes, at, (int) length);
                boolean last = frame.kind() == FrameKind.DIRECTORY;
                return Optional.of(new Found(bytes, (int) length, last));
            } catch (MainstayException broken) {
                // another one may have it
            }
        }
        return Optional.empty();
    }
}
