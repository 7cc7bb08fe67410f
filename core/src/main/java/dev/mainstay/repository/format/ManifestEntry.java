package dev.mainstay.repository.format;

import dev.mainstay.repository.format.ManifestEntry.Content.Chunked;
import dev.mainstay.repository.format.ManifestEntry.Content.Directory;
import dev.mainstay.repository.format.ManifestEntry.Content.Link;
import dev.mainstay.repository.format.ManifestEntry.Content.Paged;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One file, directory or link of a backup (docs/format.md section 8).
///
/// @param path relative to the source's root with `/` between names; absolute for files from
///   outside it
/// @param mode permission bits as chmod takes them
/// @param modifiedMicros microseconds since 1970-01-01T00:00:00Z
/// @param sizeBytes as stored; 0 for directories and links
/// @param crc32c CRC-32C of the content, 0 where there is none
public record ManifestEntry(
        String path,
        int mode,
        String owner,
        String group,
        long modifiedMicros,
        long sizeBytes,
        int crc32c,
        Content content) {

    /// What an entry's bytes are made of.
    public sealed interface Content {
        record Directory() implements Content {}

        record Link(String target) implements Content {}

        /// A relation segment file.
        ///
        /// @param mapFrame the `MAPS` frame and the map's number in it
        /// @param prints where its fingerprints are, if they were kept
        record Paged(FrameRef mapFrame, int mapNumber, Optional<Prints> prints)
                implements Content {}

        record Chunked(List<ChunkRef> chunks) implements Content {}
    }

    /// @param offset of the file's first fingerprint in the frame's payload, in bytes
    public record Prints(FrameRef frame, int offset) {}

    public record ChunkRef(ChunkId id, int lengthBytes, FrameRef frame) {
        private void write(WireWriter out) {
            out.raw(id.bytes()).varint(lengthBytes);
            frame.write(out);
        }

        private static ChunkRef read(WireReader in) {
            return new ChunkRef(new ChunkId(in.raw(32)), in.count(), FrameRef.read(in));
        }
    }

    /// Reads the frame of kind CHUNKS that is named, to its end.
    public interface ChunkLists {
        List<ChunkRef> read(FrameRef list);
    }

    /// The payload of a frame of kind CHUNKS.
    public static byte[] writeChunks(List<ChunkRef> chunks) {
        WireWriter out = new WireWriter(chunks.size() * 80);
        chunks.forEach(chunk -> chunk.write(out));
        return out.toBytes();
    }

    public static List<ChunkRef> readChunks(WireReader in) {
        List<ChunkRef> chunks = new ArrayList<>();
        while (in.remaining() > 0) {
            chunks.add(ChunkRef.read(in));
        }
        return chunks;
    }

    /// Writes the entry of a file whose chunks stand in frames of their own.
    ///
    /// @param lists frames of kind CHUNKS, in order
    public void write(WireWriter out, List<FrameRef> lists) {
        writeFacts(out);
        out.u8(5).varint(lists.size());
        lists.forEach(list -> list.write(out));
    }

    private void writeFacts(WireWriter out) {
        out.string(path)
                .varint(mode)
                .string(owner)
                .string(group)
                .u64(modifiedMicros)
                .varint(sizeBytes)
                .u32(crc32c);
    }

    public void write(WireWriter out) {
        writeFacts(out);
        switch (content) {
            case Directory _ -> out.u8(0);
            case Link link -> out.u8(1).string(link.target);
            case Paged paged -> {
                out.u8(paged.prints.isPresent() ? 3 : 2);
                paged.mapFrame.write(out);
                out.varint(paged.mapNumber);
                paged.prints.ifPresent(
                        prints -> {
                            prints.frame.write(out);
                            out.varint(prints.offset);
                        });
            }
            case Chunked chunked -> {
                out.u8(4).varint(chunked.chunks.size());
                chunked.chunks.forEach(chunk -> chunk.write(out));
            }
        }
    }

    /// @param lists reads the chunks of large files where they are
    public static ManifestEntry read(WireReader in, ChunkLists lists) {
        return new ManifestEntry(
                in.string(),
                in.count(),
                in.string(),
                in.string(),
                in.u64(),
                in.varint(),
                in.u32(),
                readContent(in, lists));
    }

    private static Content readContent(WireReader in, ChunkLists lists) {
        int kind = in.u8();
        return switch (kind) {
            case 0 -> new Directory();
            case 1 -> new Link(in.string());
            case 2 -> new Paged(FrameRef.read(in), in.count(), Optional.empty());
            case 3 ->
                    new Paged(
                            FrameRef.read(in),
                            in.count(),
                            Optional.of(new Prints(FrameRef.read(in), in.count())));
            case 4 -> {
                List<ChunkRef> chunks = new ArrayList<>();
                for (int n = in.count(); n > 0; n--) {
                    chunks.add(ChunkRef.read(in));
                }
                yield new Chunked(List.copyOf(chunks));
            }
            case 5 -> {
                List<ChunkRef> chunks = new ArrayList<>();
                for (int n = in.count(); n > 0; n--) {
                    chunks.addAll(lists.read(FrameRef.read(in)));
                }
                yield new Chunked(List.copyOf(chunks));
            }
            default -> throw in.malformed("unknown content " + kind);
        };
    }
}
