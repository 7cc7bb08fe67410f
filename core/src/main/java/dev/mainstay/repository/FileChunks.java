package dev.mainstay.repository;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.ManifestAssembly.PlacedChunk;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.FrameCoder;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.PackClass;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/// The chunks of a backup's files that are no relations. Any number of threads store files side by
/// side; a chunk that the source has already, or that another of them meets at the same time, is
/// stored once.
final class FileChunks implements AutoCloseable {
    private static final int STREAMS = 2;
    private static final int WINDOW = 1 << 16;

    private final ProtectedSource source;
    private final int compressionLevel;
    private final FoundAgain foundAgain;
    private final Known known;
    private final Chunker chunker;
    private final List<PackStream> streams = new ArrayList<>();
    private final Map<ChunkId, CompletableFuture<PlacedChunk>> fresh = new ConcurrentHashMap<>();
    private final Queue<Hand> idle = new ConcurrentLinkedQueue<>();
    private Optional<ChunkIndex> index = Optional.empty();

    /// What else knows of chunks.
    ///
    /// @param index read with the first file, beside the first pages
    /// @param begun where a backup that was begun stored a chunk
    /// @param stored is told of each that this backup stores, or takes over from one that was begun
    record Known(
            Supplier<ChunkIndex> index,
            Function<ChunkId, Optional<PlacedChunk>> begun,
            Consumer<PlacedChunk> stored) {}

    /// A file as it was read.
    record Stored(long sizeBytes, int crc, List<PlacedChunk> chunks) {}

    /// What one thread works with.
    private static final class Hand implements AutoCloseable {
        private final FrameCoder coder;
        private final ChunkNames names;
        private byte[] window = new byte[WINDOW];

        private Hand(ProtectedSource source, int compressionLevel) {
            coder = new FrameCoder(compressionLevel);
            names = new ChunkNames(source);
        }

        @Override
        public void close() {
            coder.close();
        }
    }

    FileChunks(
            ProtectedSource source,
            BackupOptions options,
            PackUploads uploads,
            FoundAgain foundAgain,
            Known known) {
        this.source = source;
        this.compressionLevel = options.compressionLevel();
        this.foundAgain = foundAgain;
        this.known = known;
        this.chunker = new Chunker(source.hashKey("gear", 32), options.shape());
        for (int i = 0; i < STREAMS; i++) {
            streams.add(
                    new PackStream(
                            source.vault(),
                            PackClass.FILES,
                            (int) options.packSize().bytes(),
                            uploads));
        }
    }

    /// @throws IOException if the content cannot be read
    Stored store(InputStream content) throws IOException {
        Hand hand =
                Optional.ofNullable(idle.poll())
                        .orElseGet(() -> new Hand(source, compressionLevel));
        try {
            CRC32C crc = new CRC32C();
            List<PlacedChunk> chunks = new ArrayList<>();
            long[] size = new long[1];
            hand.window =
                    chunker.split(
                            content,
                            hand.window,
                            (bytes, length) -> {
                                crc.update(bytes, 0, length);
                                size[0] += length;
                                chunks.add(chunk(hand, bytes, length));
                            });
            return new Stored(size[0], (int) crc.getValue(), chunks);
        } finally {
            idle.add(hand);
        }
    }

    private PlacedChunk chunk(Hand hand, byte[] bytes, int length) {
        ChunkId id = hand.names.of(bytes, length);
        while (true) {
            CompletableFuture<PlacedChunk> first = fresh.get(id);
            if (first == null) {
                Optional<ChunkRef> stored = index().find(id);
                if (stored.isPresent()) {
                    return new PlacedChunk(id, length, PendingFrame.of(stored.get().frame()));
                }
                CompletableFuture<PlacedChunk> mine = new CompletableFuture<>();
                first = fresh.putIfAbsent(id, mine);
                if (first == null) {
                    return place(hand, id, bytes, length, mine);
                }
            }
            try {
                return first.join();
            } catch (CompletionException failed) {
                // That thread tells why; this one finds out by itself.
            }
        }
    }

    private PlacedChunk place(
            Hand hand, ChunkId id, byte[] bytes, int length, CompletableFuture<PlacedChunk> mine) {
        try {
            PlacedChunk placed =
                    known.begun
                            .apply(id)
                            .orElseGet(
                                    () ->
                                            new PlacedChunk(
                                                    id, length, append(hand, id, bytes, length)));
            index().lost(id).forEach(lost -> foundAgain.add(lost, placed.frame()));
            known.stored.accept(placed);
            mine.complete(placed);
            return placed;
        } catch (RuntimeException | Error failed) {
            fresh.remove(id, mine);
            mine.completeExceptionally(failed);
            throw failed;
        }
    }

    private PendingFrame append(Hand hand, ChunkId id, byte[] bytes, int length) {
        int stream;
        synchronized (source.repository().ground().random()) {
            stream = source.repository().ground().random().nextInt(STREAMS);
        }
        return streams.get(stream)
                .append(hand.coder, FrameKind.CHUNK, id.bytes(), bytes, 0, length);
    }

    private synchronized ChunkIndex index() {
        if (index.isEmpty()) {
            index = Optional.of(known.index.get());
        }
        return index.get();
    }

    /// Sends off what is in memory.
    void finish() {
        streams.forEach(PackStream::finish);
    }

    /// Puts the index of the chunks that were new, when their packs are durable.
    void index(BackupId backup) {
        ChunkIndex.write(
                source,
                backup,
                fresh.values().stream()
                        .map(CompletableFuture::join)
                        .map(
                                chunk ->
                                        new ChunkRef(
                                                chunk.id(),
                                                chunk.lengthBytes(),
                                                chunk.frame().ref()))
                        .toList());
    }

    @Override
    public void close() {
        idle.forEach(Hand::close);
    }
}
