package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// The relation files of the backup that an incremental builds on, found by path. Entries lie in a
/// temporary file and only 16 bytes for each are in memory, so that millions of files fit.
///
/// The temporary file is deleted as soon as it is open, so nothing of it stays, whatever happens.
final class PriorBackup implements AutoCloseable {
    private final ProtectedSource source;
    private final CommittedBackup backup;
    private final Set<String> absentPacks;
    private final FileChannel spill;
    private long[] hashes = new long[1024];
    private long[] offsets = new long[1024];
    private int count;

    private PriorBackup(
            ProtectedSource source,
            CommittedBackup backup,
            Set<String> absentPacks,
            FileChannel spill) {
        this.source = source;
        this.backup = backup;
        this.absentPacks = absentPacks;
        this.spill = spill;
    }

    static PriorBackup read(
            ProtectedSource source, CommittedBackup backup, Set<String> absentPacks) {
        FileChannel spill;
        try {
            spill = ScratchFile.open("mainstay-prior");
        } catch (IOException failed) {
            throw spillFailed(failed);
        }
        PriorBackup prior = new PriorBackup(source, backup, absentPacks, spill);
        try (BackupReader reader = source.read(backup)) {
            Spill out = new Spill(spill);
            reader.entries(
                    entry -> {
                        if (entry.content() instanceof Content.Paged) {
                            prior.add(hash(entry.path()), out.append(entry));
                        }
                    });
            out.flush();
        }
        prior.sort();
        return prior;
    }

    private static MainstayException spillFailed(IOException failed) {
        return ScratchFile.failed("the earlier backup's list of files", failed);
    }

    private static final class Spill {
        private final FileChannel channel;
        private final WireWriter buffer = new WireWriter(1 << 17);
        private long flushed;

        Spill(FileChannel channel) {
            this.channel = channel;
        }

        long append(ManifestEntry entry) {
            if (buffer.size() > 1 << 16) {
                flush();
            }
            WireWriter one = new WireWriter(256);
            entry.write(one);
            long at = flushed + buffer.size();
            buffer.u32(one.size()).raw(one.array(), 0, one.size());
            return at;
        }

        void flush() {
            try {
                ByteBuffer bytes = ByteBuffer.wrap(buffer.array(), 0, buffer.size());
                while (bytes.hasRemaining()) {
                    flushed += channel.write(bytes, flushed);
                }
                buffer.clear();
            } catch (IOException failed) {
                throw spillFailed(failed);
            }
        }
    }

    private static long hash(String path) {
        return com.dynatrace.hash4j.hashing.Hashing.xxh3_64().hashCharsToLong(path);
    }

    private void add(long hash, long offset) {
        if (count == hashes.length) {
            hashes = Arrays.copyOf(hashes, count * 2);
            offsets = Arrays.copyOf(offsets, count * 2);
        }
        hashes[count] = hash;
        offsets[count++] = offset;
    }

    private void sort() {
        // An open-addressed table by hash: each entry lands in the first free place from its own.
        int size = Integer.highestOneBit(Math.max(16, count)) * 4;
        long[] tableHashes = new long[size];
        long[] tableOffsets = new long[size];
        Arrays.fill(tableOffsets, -1);
        for (int i = 0; i < count; i++) {
            int at = (int) (hashes[i] & size - 1);
            while (tableOffsets[at] >= 0) {
                at = at + 1 & size - 1;
            }
            tableHashes[at] = hashes[i];
            tableOffsets[at] = offsets[i];
        }
        hashes = tableHashes;
        offsets = tableOffsets;
    }

    private ManifestEntry entryAt(long offset) {
        byte[] length = new byte[4];
        readFully(offset, length);
        byte[] bytes = new byte[ByteBuffer.wrap(length).getInt()];
        readFully(offset + 4, bytes);
        return ManifestEntry.read(
                new WireReader("spilled manifest entry", bytes), _ -> java.util.List.of());
    }

    private void readFully(long offset, byte[] into) {
        try {
            ByteBuffer buffer = ByteBuffer.wrap(into);
            while (buffer.hasRemaining()) {
                int got = spill.read(buffer, offset + buffer.position());
                if (got < 0) {
                    throw new IOException("ends early");
                }
            }
        } catch (IOException failed) {
            throw spillFailed(failed);
        }
    }

    private Optional<ManifestEntry> entry(String path) {
        long hash = hash(path);
        int mask = hashes.length - 1;
        for (int at = (int) (hash & mask); offsets[at] >= 0; at = at + 1 & mask) {
            if (hashes[at] == hash) {
                ManifestEntry entry = entryAt(offsets[at]);
                if (entry.path().equals(path)) {
                    return Optional.of(entry);
                }
            }
        }
        return Optional.empty();
    }

    Lookup lookup() {
        return new Lookup();
    }

    /// One thread's view; keeps the frames it read last, since neighbouring files share them.
    final class Lookup implements AutoCloseable {
        private final BackupReader reader = source.read(backup);
        private final PackReader packs = reader.newPackReader();
        private Optional<Read> lastFrame = Optional.empty();

        private record Read(FrameRef ref, byte[] payload, int[] blocks) {}

        /// Reads frames of pages.
        PackReader packs() {
            return packs;
        }

        /// What is known of a file, or empty where it has to be stored whole: it is new, its block
        /// size changed, its map or fingerprints are dropped or damaged, a collector claims one of
        /// its packs, or its map has grown so far that the next one might not fit in a frame.
        ///
        /// @return without fingerprints: see [#withFingerprints]
        Optional<PriorFile> find(String path, int blockSizeBytes) {
            Optional<ManifestEntry> entry = entry(path);
            if (entry.isEmpty()
                    || !(entry.get().content() instanceof Content.Paged paged)
                    || paged.prints().isEmpty()) {
                return Optional.empty();
            }
            return unlessDamaged(() -> find(entry.get(), paged, blockSizeBytes));
        }

        /// Reads the fingerprints as well; empty where they are damaged.
        Optional<PriorFile> withFingerprints(PriorFile file) {
            return unlessDamaged(
                    () ->
                            Optional.of(
                                    file.with(
                                            reader.fingerprints(
                                                    prints(file.entry()), file.pages()))));
        }

        /// A page of a file as it is stored; empty if its frame does not have it.
        Optional<byte[]> page(PriorFile file, int block) {
            FrameRef ref = file.map().frames().get(file.map().frameOf()[block]).ref();
            if (!lastFrame.map(Read::ref).equals(Optional.of(ref))) {
                Frame frame = packs.read(ref);
                int[] blocks = PageList.read(file.entry().path(), frame.meta()).blocks();
                lastFrame = Optional.of(new Read(ref, frame.toBytes(), blocks));
            }
            Read read = lastFrame.orElseThrow();
            int size = file.map().blockSizeBytes();
            for (int i = 0; i < read.blocks.length; i++) {
                if (read.blocks[i] == block) {
                    return Optional.of(Arrays.copyOfRange(read.payload, i * size, (i + 1) * size));
                }
            }
            return Optional.empty();
        }

        private static ManifestEntry.Prints prints(ManifestEntry entry) {
            return ((Content.Paged) entry.content()).prints().orElseThrow();
        }

        private static Optional<PriorFile> unlessDamaged(Supplier<Optional<PriorFile>> reading) {
            try {
                return reading.get();
            } catch (MainstayException damaged) {
                if (damaged.code() == ErrorCode.STORE_UNAVAILABLE) {
                    throw damaged;
                }
                return Optional.empty();
            }
        }

        private Optional<PriorFile> find(
                ManifestEntry entry, Content.Paged paged, int blockSizeBytes) {
            SegmentMap map = reader.map(paged);
            boolean claimed =
                    claimed(paged.mapFrame())
                            || claimed(paged.prints().orElseThrow().frame())
                            || map.frames().stream().anyMatch(frame -> claimed(frame.ref()));
            boolean full = map.frames().size() > SegmentMap.MAX_FRAMES;
            if (map.blockSizeBytes() != blockSizeBytes || claimed || full) {
                return Optional.empty();
            }
            return Optional.of(PriorFile.withoutFingerprints(entry, map));
        }

        private boolean claimed(FrameRef frame) {
            return absentPacks.contains(frame.pack().hex());
        }

        @Override
        public void close() {
            packs.close();
            reader.close();
        }
    }

    @Override
    public void close() {
        try {
            spill.close();
        } catch (IOException failed) {
            throw spillFailed(failed);
        }
    }
}
