package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.ManifestAssembly.PlacedChunk;
import dev.mainstay.repository.format.ChunkId;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.ChunkRef;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/// Files from several threads at once: each chunk is stored once, and all come back.
class FileChunksTest {
    private static final int THREADS = 4;

    private final Ground ground =
            new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(1));
    private final ProtectedSource source =
            Repository.create(MemoryStore.create(), Optional.empty(), ground).sourceOrAdd("files");

    private static BackupOptions options() {
        return new BackupOptions(
                "full",
                Optional.empty(),
                3,
                ByteSize.of(100_000),
                new BackupOptions.FrameShape(16, 4, 256, 1024, 4096, 3, 50),
                0);
    }

    /// Each thread meets what the others meet at about the same time.
    private Map<String, byte[]> files() {
        Random random = new Random(2);
        Map<String, byte[]> files = new TreeMap<>();
        for (int i = 0; i < 200; i++) {
            byte[] content = new byte[random.nextInt(20_000)];
            random.nextBytes(content);
            for (int copy = 0; copy < THREADS; copy++) {
                files.put(copy + "/" + i, content);
            }
        }
        return files;
    }

    private CommittedBackup backUp(Map<String, byte[]> files) throws Exception {
        try (BackupWriter writer = source.newBackup(options());
                ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            writer.blockSize(1024);
            List<Future<?>> all = new ArrayList<>();
            for (int copy = 0; copy < THREADS; copy++) {
                String mine = copy + "/";
                all.add(
                        threads.submit(
                                () -> {
                                    for (Map.Entry<String, byte[]> each : files.entrySet()) {
                                        if (each.getKey().startsWith(mine)) {
                                            writer.file(
                                                    new FileFacts(each.getKey(), 0600, "o", "g", 1),
                                                    new ByteArrayInputStream(each.getValue()));
                                        }
                                    }
                                    return null;
                                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
            return writer.commit(Json.object());
        }
    }

    @Test
    void eachChunkIsStoredOnceAndEverythingComesBack() throws Exception {
        Map<String, byte[]> files = files();
        CommittedBackup backup = backUp(files);
        Map<ChunkId, Set<FrameRef>> places = new HashMap<>();
        int seen = 0;
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            for (ManifestEntry entry : entries) {
                if (entry.content() instanceof Content.Chunked chunked) {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    for (ChunkRef chunk : chunked.chunks()) {
                        places.computeIfAbsent(chunk.id(), _ -> new HashSet<>()).add(chunk.frame());
                        bytes.writeBytes(packs.read(chunk.frame()).toBytes());
                    }
                    assertThat(bytes.toByteArray()).isEqualTo(files.get(entry.path()));
                    seen++;
                }
            }
        }
        assertThat(seen).isEqualTo(files.size());
        assertThat(places.values()).allSatisfy(each -> assertThat(each).hasSize(1));
        long distinct = files.values().stream().distinct().mapToLong(each -> each.length).sum();
        long stored = backup.statistics().number("bytes-stored");
        assertThat(stored).as("with what says where").isBetween(distinct, distinct * 2);
        assertThat(backUp(files).statistics().number("bytes-stored"))
                .as("what is stored again of files that did not change")
                .isLessThan(distinct / 2);
    }

    private FileChunks chunks(Function<ChunkId, Optional<PlacedChunk>> begun) {
        return new FileChunks(
                source,
                options(),
                new PackUploads(source.vault().store, ground.beside(), 2),
                new FoundAgain(),
                new FileChunks.Known(
                        () ->
                                ChunkIndex.read(
                                        source,
                                        source.backups(),
                                        new AbsentFrames(Set.of(), KnownLoss.NONE)),
                        begun,
                        _ -> {}));
    }

    @Test
    @Timeout(60)
    void whatOneThreadCouldNotStoreTheNextOneTries() throws Exception {
        byte[] content = new byte[100];
        AtomicInteger calls = new AtomicInteger();
        CountDownLatch storing = new CountDownLatch(1);
        AtomicReference<Thread> second = new AtomicReference<>();
        try (FileChunks chunks =
                        chunks(
                                _ -> {
                                    if (calls.getAndIncrement() > 0) {
                                        return Optional.empty();
                                    }
                                    storing.countDown();
                                    while (second.get() == null
                                            || second.get().getState() != Thread.State.WAITING) {
                                        Thread.onSpinWait();
                                    }
                                    throw new IllegalStateException("the store is away");
                                });
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<FileChunks.Stored> failing = threads.submit(() -> store(chunks, content));
            storing.await();
            Future<FileChunks.Stored> next =
                    threads.submit(
                            () -> {
                                second.set(Thread.currentThread());
                                return store(chunks, content);
                            });
            assertThat(next.get().chunks()).hasSize(1);
            assertThatThrownBy(failing::get).hasMessageContaining("the store is away");
            assertThat(calls).hasValue(2);
        }
    }

    private static FileChunks.Stored store(FileChunks chunks, byte[] content) throws IOException {
        return chunks.store(new ByteArrayInputStream(content));
    }
}
