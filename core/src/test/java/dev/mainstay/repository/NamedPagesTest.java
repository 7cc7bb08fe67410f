package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/// Hundreds of random incrementals that are told which pages may have changed: nothing else is read
/// but what is refreshed, each holds what the files hold, the refresh rule keeps its bounds and its
/// budget, and fingerprints stay exact.
class NamedPagesTest {
    private static final int BLOCK = 1024;
    private static final int INCREMENTALS = 200;

    private static final class Relation {
        byte[] content = new byte[0];
        final NavigableSet<Integer> named = new TreeSet<>();

        int pages() {
            return content.length / BLOCK;
        }
    }

    private final Map<String, Relation> relations = new TreeMap<>();
    private long reads;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void onlyWhatIsNamedOrRefreshedIsReadAndNothingIsLost(long seed) {
        Random random = new Random(seed);
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(seed));
        ProtectedSource source =
                Repository.create(MemoryStore.create(), Optional.empty(), ground)
                        .sourceOrAdd("orders");
        for (int i = 0; i < 6; i++) {
            Relation relation = new Relation();
            relations.put("base/5/" + (16384 + i), relation);
            resize(relation, 20 + random.nextInt(200), random);
        }
        CommittedBackup last = backUp(source, Optional.empty(), 0, true);
        long budget = seed == 1 ? 1_000_000 : 30;
        long changed = 0;
        long stored = 0;
        for (int i = 1; i <= INCREMENTALS; i++) {
            long named = change(random);
            reads = 0;
            last = backUp(source, Optional.of(last), budget, false);
            long refreshed = number(last, "pages-refreshed");
            assertThat(reads).as("pages read").isEqualTo(named + refreshed);
            assertThat(refreshed).as("pages refreshed").isLessThanOrEqualTo(budget);
            if (number(last, "refresh-debt-pages") == 0) {
                assertThat(number(last, "page-bytes-referred"))
                        .isLessThanOrEqualTo(2 * number(last, "page-bytes-live") + 1000);
            }
            changed += number(last, "pages-changed");
            stored += number(last, "pages-stored");
            if (i % 10 == 0) {
                requireContent(source, last);
            }
        }
        assertThat(stored).as("pages stored").isLessThanOrEqualTo(2 * changed);

        CommittedBackup everything = backUp(source, Optional.of(last), 1_000_000, true);
        assertThat(number(everything, "pages-changed"))
                .as("pages whose fingerprint was wrong")
                .isZero();
        assertThat(number(everything, "refresh-debt-pages")).isZero();
        requireContent(source, everything);
    }

    /// @return how many pages are named
    private long change(Random random) {
        long named = 0;
        for (Relation relation : relations.values()) {
            relation.named.clear();
            switch (random.nextInt(8)) {
                case 0 -> resize(relation, random.nextInt(300), random);
                case 1, 2, 3 -> scattered(relation, random);
                case 4 -> neighbours(relation, random);
                default -> {}
            }
            relation.named.tailSet(relation.pages(), true).clear();
            named += relation.named.size();
        }
        return named;
    }

    private static void scattered(Relation relation, Random random) {
        for (int n = random.nextInt(20); n > 0 && relation.pages() > 0; n--) {
            touch(relation, random.nextInt(relation.pages()), random);
        }
    }

    private static void neighbours(Relation relation, Random random) {
        int from = random.nextInt(relation.pages() + 1);
        for (int block = from; block < Math.min(relation.pages(), from + 40); block++) {
            touch(relation, block, random);
        }
    }

    /// Some pages are named without having changed.
    private static void touch(Relation relation, int block, Random random) {
        relation.named.add(block);
        if (random.nextInt(5) > 0) {
            byte[] page = new byte[BLOCK];
            random.nextBytes(page);
            System.arraycopy(page, 0, relation.content, block * BLOCK, BLOCK);
        }
    }

    /// What a file grows by need not be named.
    private static void resize(Relation relation, int pages, Random random) {
        int before = relation.pages();
        relation.content = Arrays.copyOf(relation.content, pages * BLOCK);
        for (int block = before; block < pages; block++) {
            touch(relation, block, random);
        }
    }

    private CommittedBackup backUp(
            ProtectedSource source,
            Optional<CommittedBackup> parent,
            long budget,
            boolean everything) {
        BackupOptions options =
                new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        1,
                        ByteSize.mib(1),
                        new BackupOptions.FrameShape(16, 4, 256, 1024, 4096),
                        budget);
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                relations.forEach(
                        (path, relation) -> {
                            PartedFile file =
                                    worker.begin(
                                            new FileFacts(path, 0600, "", "", 1),
                                            relation.pages(),
                                            1,
                                            everything
                                                    ? ChangedPages.ALL
                                                    : (from, end) -> next(relation, from, end));
                            worker.part(
                                    file,
                                    0,
                                    relation.pages(),
                                    (first, pages, into) -> {
                                        int got = Math.min(pages, relation.pages() - first);
                                        System.arraycopy(
                                                relation.content,
                                                first * BLOCK,
                                                into,
                                                0,
                                                got * BLOCK);
                                        reads += got;
                                        return got;
                                    });
                        });
            }
            return writer.commit(Json.object());
        }
    }

    private static int next(Relation relation, int from, int end) {
        Integer next = relation.named.ceiling(from);
        return next == null ? end : Math.min(end, next);
    }

    private static long number(CommittedBackup backup, String name) {
        return backup.statistics().number(name);
    }

    private void requireContent(ProtectedSource source, CommittedBackup backup) {
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            assertThat(entries).hasSize(relations.size());
            for (ManifestEntry entry : entries) {
                Relation relation = relations.getOrDefault(entry.path(), new Relation());
                SegmentMap map = reader.map((Content.Paged) entry.content());
                byte[] pages = pages(map, packs);
                assertThat(Arrays.equals(pages, relation.content)).as(entry.path()).isTrue();
                assertThat(Crc32c.of(pages, 0, pages.length)).isEqualTo(entry.crc32c());
            }
        }
    }

    private static byte[] pages(SegmentMap map, PackReader packs) {
        byte[] content = new byte[map.pageCount() * BLOCK];
        for (int i = 0; i < map.frames().size(); i++) {
            int index = i;
            packs.readAll(
                    List.of(map.frames().get(i).ref()),
                    (_, frame) -> {
                        int[] blocks = PageList.read("test", frame.meta()).blocks();
                        for (int n = 0; n < blocks.length; n++) {
                            int at = blocks[n];
                            if (at < map.pageCount() && map.frameOf()[at] == index) {
                                System.arraycopy(
                                        frame.payload(), n * BLOCK, content, at * BLOCK, BLOCK);
                            }
                        }
                    });
        }
        return content;
    }
}
