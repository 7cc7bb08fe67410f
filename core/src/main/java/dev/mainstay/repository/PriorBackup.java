package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.repository.format.WireReader;
import dev.mainstay.repository.format.WireWriter;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// The relation files of the backup that an incremental builds on, found by path.
final class PriorBackup implements AutoCloseable {
    private final ProtectedSource source;
    private final CommittedBackup backup;
    private final AbsentFrames absent;
    private final PathTable files = new PathTable("the earlier backup's list of files");

    private PriorBackup(ProtectedSource source, CommittedBackup backup, AbsentFrames absent) {
        this.source = source;
        this.backup = backup;
        this.absent = absent;
    }

    static PriorBackup read(ProtectedSource source, CommittedBackup backup, AbsentFrames absent) {
        PriorBackup prior = new PriorBackup(source, backup, absent);
        try (BackupReader reader = source.read(backup)) {
            reader.entries(
                    entry -> {
                        if (entry.content() instanceof Content.Paged) {
                            WireWriter out = new WireWriter(256);
                            entry.write(out);
                            prior.files.add(entry.path(), out.toBytes());
                        }
                    });
        }
        prior.files.complete();
        return prior;
    }

    private Optional<ManifestEntry> entry(String path) {
        return files.find(path)
                .map(
                        bytes ->
                                ManifestEntry.read(
                                        new WireReader("spilled manifest entry", bytes),
                                        _ -> java.util.List.of()));
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
        /// its packs, a frame of it is known to be lost, or its map has grown so far that the next
        /// one might not fit in a frame.
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
                                                    prints(file.entry().orElseThrow()),
                                                    file.pages()))));
        }

        /// A page of a file as it is stored; empty if its frame does not have it.
        Optional<byte[]> page(PriorFile file, int block) {
            SegmentMap.MappedFrame mapped = file.map().frames().get(file.map().frameOf()[block]);
            FrameRef ref = mapped.ref();
            if (!lastFrame.map(Read::ref).equals(Optional.of(ref))) {
                Frame frame =
                        packs.read(
                                ref,
                                (_, found) ->
                                        Digest128.of(found.payload(), 0, found.length())
                                                .equals(mapped.digest()));
                int[] blocks = PageList.read(file.path(), frame.meta()).blocks();
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

        private static <T> Optional<T> unlessDamaged(Supplier<Optional<T>> reading) {
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
            boolean gone =
                    isAbsent(paged.mapFrame())
                            || isAbsent(paged.prints().orElseThrow().frame())
                            || map.frames().stream().anyMatch(frame -> isAbsent(frame.ref()));
            boolean full = map.frames().size() > SegmentMap.MAX_FRAMES;
            if (map.blockSizeBytes() != blockSizeBytes || gone || full) {
                return Optional.empty();
            }
            return Optional.of(PriorFile.withoutFingerprints(backup.id(), entry, map));
        }

        private boolean isAbsent(FrameRef frame) {
            return absent.contains(frame);
        }

        /// Lost frames of a file that the earlier backup has and [#find] passes over, as far as the
        /// same content may still be at hand.
        List<LostPages> lost(String path, int blockSizeBytes) {
            Optional<ManifestEntry> entry =
                    absent.lost().isEmpty() ? Optional.empty() : entry(path);
            if (entry.isEmpty()
                    || !(entry.get().content() instanceof Content.Paged paged)
                    || absent.contains(paged.mapFrame())) {
                return List.of();
            }
            return unlessDamaged(() -> Optional.of(reader.map(paged)))
                    .filter(map -> map.blockSizeBytes() == blockSizeBytes)
                    .map(map -> LostPages.of(map, absent.lost()))
                    .orElseGet(List::of);
        }

        @Override
        public void close() {
            packs.close();
            reader.close();
        }
    }

    @Override
    public void close() {
        files.close();
    }
}
