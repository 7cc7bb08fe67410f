package dev.mainstay.repository.format;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What a pack's directory lists: every frame with its place and what its meta says, so that a map
/// or an index can be rebuilt without opening the frames (docs/format.md section 6).
public record PackDirectory(List<Entry> entries) {
    public record Entry(FrameKind kind, int number, long offset, int length, byte[] meta) {}

    /// What the last 16 bytes of a pack say.
    public record Trailer(long offset, int length, int frames) {
        /// @throws MainstayException PACK_TRUNCATED if this is no end of a pack of that size
        public static Trailer read(String name, byte[] lastBytes, long packSize) {
            Trailer trailer =
                    new Trailer(
                            Bytes.getLong(lastBytes, 0),
                            Bytes.getInt(lastBytes, 8),
                            Bytes.getInt(lastBytes, 12));
            boolean fits =
                    trailer.offset >= ObjectHeader.SIZE
                            && trailer.length > 0
                            && trailer.frames >= 0
                            && trailer.offset + trailer.length + PackBuilder.TRAILER == packSize;
            if (!fits) {
                throw new MainstayException(
                        ErrorCode.PACK_TRUNCATED,
                        "pack " + name + " of " + packSize + " bytes has no directory at its end");
            }
            return trailer;
        }
    }

    /// Opens the directory frame.
    ///
    /// @throws MainstayException PACK_FORGED if it does not open, or does not describe this pack
    public static PackDirectory read(
            String name, ObjectSeal seal, Trailer trailer, byte[] frame, FrameCoder coder) {
        Frame opened;
        try {
            opened = coder.open(name, seal, trailer.frames, trailer.offset, frame, 0, frame.length);
        } catch (MainstayException broken) {
            throw forged(name, broken);
        }
        WireReader reader =
                new WireReader("directory of pack " + name, opened.payload(), 0, opened.length());
        List<Entry> entries = new ArrayList<>();
        Map<Integer, FrameKind> kinds =
                java.util.Arrays.stream(FrameKind.values())
                        .collect(java.util.stream.Collectors.toMap(FrameKind::number, k -> k));
        long offset = ObjectHeader.SIZE;
        while (reader.remaining() > 0) {
            FrameKind kind = kinds.get(reader.u8());
            int length = reader.count();
            byte[] meta = reader.bytes();
            if (kind == null) {
                throw forged(name, null);
            }
            entries.add(new Entry(kind, entries.size(), offset, length, meta));
            offset += length;
        }
        if (opened.kind() != FrameKind.DIRECTORY
                || entries.size() != trailer.frames
                || offset != trailer.offset) {
            throw forged(name, null);
        }
        return new PackDirectory(List.copyOf(entries));
    }

    private static MainstayException forged(String name, @Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.PACK_FORGED,
                "the directory of pack " + name + " is not the one this pack was sealed with",
                cause);
    }
}
