package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.FrameKind;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Any sequence of full and incremental backups of a changing cluster, with tiny frames and packs,
/// comes back bit for bit, and keeps the refresh rule's bounds.
class BackupRoundTripTest {
    private static final int BLOCK = 1024;

    private final Map<String, byte[]> relations = new TreeMap<>();
    private final Map<String, byte[]> files = new TreeMap<>();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void everyBackupOfAChangingClusterRestoresBitForBit(long seed) throws IOException {
        Random random = new Random(seed);
        ObjectStore store = MemoryStore.create();
        Credential key = new Credential.KeyFile(new byte[32]);
        Optional<Credential> credential = seed % 2 == 0 ? Optional.empty() : Optional.of(key);
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(seed));
        Repository.create(store, credential, ground);
        Repository repository = Repository.open(store, credential, ground);
        ProtectedSource source = repository.sourceOrAdd("orders");
        for (int i = 0; i < 12; i++) {
            grow(random, i);
        }
        List<Map<String, byte[]>> expected = new ArrayList<>();
        long changed = 0;
        long stored = 0;
        Optional<CommittedBackup> parent = Optional.empty();
        for (int round = 0; round < 25; round++) {
            CommittedBackup backup = backUp(source, parent, random);
            if (parent.isPresent()) {
                changed += backup.statistics().number("pages-changed");
                stored += backup.statistics().number("pages-stored");
                assertThat(backup.statistics().number("refresh-debt-pages")).isZero();
            }
            long referred = backup.statistics().number("page-bytes-referred");
            assertThat(referred).isEqualTo(fetched(source, backup));
            assertThat(referred)
                    .as("bytes a restore fetches against 2 x bytes it needs")
                    .isLessThanOrEqualTo(2 * backup.statistics().number("page-bytes-live") + 1000);
            assertThat((double) referred)
                    .as("bytes a restore fetches against 2 x those of a fresh full backup")
                    .isLessThanOrEqualTo(2.05 * fresh(random));
            Map<String, byte[]> state = new HashMap<>(relations);
            state.putAll(files);
            expected.add(state);
            parent = Optional.of(backup);
            change(random);
        }
        assertThat(stored)
                .as("pages stored against 2 x pages changed")
                .isLessThanOrEqualTo(2 * changed);

        Repository again = Repository.open(store, credential, ground);
        ProtectedSource reopened = again.source("orders").orElseThrow();
        List<CommittedBackup> backups = reopened.backups();
        assertThat(backups).hasSize(25);
        for (int i = 0; i < backups.size(); i++) {
            assertThat(restore(reopened, backups.get(i)))
                    .as("backup %d", i)
                    .isEqualTo(hex(expected.get(i)));
        }
        assertThat(reopened.records().missing()).isEmpty();
    }

    /// Stored bytes of the frames of pages that a backup refers to.
    private static long fetched(ProtectedSource source, CommittedBackup backup) {
        long[] bytes = new long[1];
        try (BackupReader reader = source.read(backup)) {
            reader.entries(
                    entry -> {
                        if (entry.content() instanceof Content.Paged paged) {
                            reader.map(paged)
                                    .frames()
                                    .forEach(frame -> bytes[0] += frame.ref().length());
                        }
                    });
        }
        return bytes[0];
    }

    /// The same of a full backup of what there is now.
    private long fresh(Random random) throws IOException {
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(9));
        ProtectedSource other =
                Repository.create(MemoryStore.create(), Optional.empty(), ground)
                        .sourceOrAdd("fresh");
        return fetched(other, backUp(other, Optional.empty(), random));
    }

    private static Map<String, String> hex(Map<String, byte[]> contents) {
        Map<String, String> text = new HashMap<>();
        contents.forEach(
                (path, bytes) -> text.put(path, Arrays.hashCode(bytes) + ":" + bytes.length));
        return text;
    }

    private void grow(Random random, int i) {
        byte[] content = new byte[BLOCK * random.nextInt(200)];
        random.nextBytes(content);
        relations.put("base/5/" + (16384 + i), content);
        byte[] other = new byte[random.nextInt(20_000)];
        random.nextBytes(other);
        files.put("pg_xact/" + i, other);
    }

    private void change(Random random) {
        for (String path : List.copyOf(relations.keySet())) {
            byte[] content = Objects.requireNonNull(relations.get(path)).clone();
            switch (random.nextInt(8)) {
                case 0 -> content = Arrays.copyOf(content, BLOCK * random.nextInt(200));
                case 1 -> content = new byte[0];
                case 2 -> random.nextBytes(content);
                case 3 -> {}
                default -> {
                    for (int n = random.nextInt(30); n > 0 && content.length > 0; n--) {
                        content[random.nextInt(content.length)]++;
                    }
                }
            }
            relations.put(path, content);
        }
        if (random.nextInt(3) == 0) {
            relations.remove(relations.keySet().iterator().next());
            grow(random, 100 + random.nextInt(1000));
        }
    }

    private CommittedBackup backUp(
            ProtectedSource source, Optional<CommittedBackup> parent, Random random)
            throws IOException {
        BackupOptions options =
                new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        3,
                        ByteSize.of(40_000 + random.nextInt(100_000)),
                        new BackupOptions.FrameShape(16, 4, 256, 1024, 4096, 3, 50),
                        Long.MAX_VALUE);
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker one = writer.worker(BLOCK);
                    BackupWriter.Worker two = writer.worker(BLOCK);
                    ExecutorService threads = Executors.newFixedThreadPool(2)) {
                for (Map.Entry<String, byte[]> relation : relations.entrySet()) {
                    store(relation.getKey(), relation.getValue(), random, threads, one, two);
                }
            }
            writer.directory(facts("base"));
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                writer.file(facts(file.getKey()), new ByteArrayInputStream(file.getValue()));
            }
            return writer.commit(Json.object());
        }
    }

    /// By two workers at once, in parts; sometimes the file is shorter than it was when it was
    /// listed.
    private static void store(
            String path,
            byte[] content,
            Random random,
            ExecutorService threads,
            BackupWriter.Worker... workers) {
        int pages = content.length / BLOCK;
        boolean streamed = random.nextBoolean();
        int listed = streamed ? pages : pages + random.nextInt(3) * 7;
        int part = 16 * (1 + random.nextInt(4));
        int parts = Math.max(1, Math.ceilDiv(listed, part));
        PartedFile file = workers[0].begin(facts(path), listed, parts, ChangedPages.ALL);
        ConcurrentLinkedQueue<Integer> queue =
                new ConcurrentLinkedQueue<>(IntStream.range(0, parts).boxed().toList());
        Stream.of(workers)
                .map(
                        worker ->
                                threads.submit(
                                        () ->
                                                storeParts(
                                                        queue, worker, file, content, part, listed,
                                                        streamed)))
                .toList()
                .forEach(
                        each -> {
                            try {
                                each.get();
                            } catch (InterruptedException | ExecutionException failed) {
                                throw new AssertionError(failed);
                            }
                        });
    }

    private static void storeParts(
            Queue<Integer> queue,
            BackupWriter.Worker worker,
            PartedFile file,
            byte[] content,
            int part,
            int listed,
            boolean streamed) {
        for (Integer next = queue.poll(); next != null; next = queue.poll()) {
            int end = Math.min(listed, (next + 1) * part);
            PageSource live =
                    (first, wanted, into) -> {
                        int at = Math.min(first * BLOCK, content.length);
                        int got = Math.min(wanted, (content.length - at) / BLOCK);
                        System.arraycopy(content, at, into, 0, got * BLOCK);
                        return got;
                    };
            worker.part(
                    file,
                    next * part,
                    end,
                    streamed ? once(live, next * part, end, worker, file) : live);
        }
    }

    /// Each page of the part once, in order; what is asked for later comes from the earlier backup.
    private static PageSource once(
            PageSource live, int from, int end, BackupWriter.Worker worker, PartedFile file) {
        int[] next = {from};
        return (first, wanted, into) -> {
            if (next[0] == end) {
                return worker.earlierPages(file).read(first, wanted, into);
            }
            assertThat(first).isEqualTo(next[0]);
            int got = live.read(first, wanted, into);
            next[0] += got;
            return got;
        };
    }

    private static FileFacts facts(String path) {
        return new FileFacts(path, 0600, "postgres", "postgres", 1);
    }

    private static Map<String, String> restore(ProtectedSource source, CommittedBackup backup) {
        Map<String, byte[]> contents = new HashMap<>();
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            for (ManifestEntry entry : entries) {
                switch (entry.content()) {
                    case Content.Paged paged ->
                            contents.put(entry.path(), pages(entry, reader.map(paged), packs));
                    case Content.Chunked chunked -> {
                        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                        chunked.chunks()
                                .forEach(
                                        chunk ->
                                                bytes.writeBytes(
                                                        packs.read(chunk.frame()).toBytes()));
                        contents.put(entry.path(), bytes.toByteArray());
                    }
                    case Content.Directory _, Content.Link _ -> {}
                }
                byte[] content = contents.get(entry.path());
                if (content != null) {
                    assertThat(Crc32c.of(content, 0, content.length)).isEqualTo(entry.crc32c());
                    assertThat((long) content.length).isEqualTo(entry.sizeBytes());
                }
            }
        }
        return hex(contents);
    }

    private static byte[] pages(ManifestEntry entry, SegmentMap map, PackReader packs) {
        byte[] content = new byte[map.pageCount() * BLOCK];
        int[] live = map.livePages();
        for (int frame = 0; frame < live.length; frame++) {
            SegmentMap.MappedFrame mapped = map.frames().get(frame);
            assertThat(live[frame] * 2)
                    .as("live pages of a frame")
                    .isGreaterThanOrEqualTo(mapped.pages());
        }
        Map<FrameRef, Integer> wanted = new HashMap<>();
        for (int i = 0; i < map.frames().size(); i++) {
            wanted.put(map.frames().get(i).ref(), i);
        }
        wanted.forEach(
                (ref, index) ->
                        packs.readAll(
                                List.of(ref),
                                (_, frame) -> {
                                    assertThat(frame.kind()).isEqualTo(FrameKind.PAGES);
                                    PageList list = PageList.read("test", frame.meta());
                                    assertThat(list.path()).isEqualTo(entry.path());
                                    for (int i = 0; i < list.blocks().length; i++) {
                                        int block = list.blocks()[i];
                                        if (block < map.pageCount()
                                                && map.frameOf()[block] == index) {
                                            System.arraycopy(
                                                    frame.payload(),
                                                    i * BLOCK,
                                                    content,
                                                    block * BLOCK,
                                                    BLOCK);
                                        }
                                    }
                                }));
        return content;
    }
}
