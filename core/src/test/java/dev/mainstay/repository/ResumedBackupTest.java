package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

final class ResumedBackupTest {
    private static final int BLOCK = 1024;

    private final MemoryStore store = MemoryStore.create();
    private final Instant[] now = {Instant.parse("2026-11-21T04:15:00Z")};
    private final ProtectedSource source =
            Repository.create(
                            store,
                            Optional.of(new Credential.KeyFile(new byte[32])),
                            new Ground(this::now, new Random(1)))
                    .sourceOrAdd("orders");
    private final Map<String, byte[]> relations = new TreeMap<>();
    private final Map<String, byte[]> files = new TreeMap<>();
    private long pagesRead;

    private Instant now() {
        now[0] = now[0].plusSeconds(1);
        return now[0];
    }

    private void fill(Random random, int count) {
        for (int i = 0; i < count; i++) {
            byte[] content = new byte[BLOCK * (1 + random.nextInt(60))];
            random.nextBytes(content);
            relations.put("base/5/" + (16400 + i), content);
        }
        for (int i = 0; i < 5; i++) {
            byte[] content = new byte[40_000];
            random.nextBytes(content);
            files.put("pg_xact/" + i, content);
        }
    }

    private BackupOptions options(Optional<CommittedBackup> parent, List<BegunBackup> resumed) {
        return new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        1,
                        ByteSize.of(60_000),
                        new BackupOptions.FrameShape(16, 4, 256, 1024, 4096),
                        Long.MAX_VALUE)
                .resuming(resumed);
    }

    private static FileFacts facts(String path) {
        return new FileFacts(path, 0600, "", "", 1);
    }

    /// @param changed says which pages may have changed since what is gone on from
    private void store(BackupWriter writer, int count, ChangedPages changed) throws IOException {
        writer.blockSize(BLOCK);
        writer.putDownProgress(() -> Json.object().put("files", count));
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            writer.file(facts(file.getKey()), new ByteArrayInputStream(file.getValue()));
        }
        try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
            relations.entrySet().stream()
                    .limit(count)
                    .forEach(
                            relation -> {
                                byte[] content = relation.getValue();
                                int pages = content.length / BLOCK;
                                PartedFile file =
                                        worker.begin(facts(relation.getKey()), pages, 1, changed);
                                worker.part(
                                        file,
                                        0,
                                        pages,
                                        (first, wanted, into) -> {
                                            int got = Math.min(wanted, pages - first);
                                            pagesRead += got;
                                            System.arraycopy(
                                                    content, first * BLOCK, into, 0, got * BLOCK);
                                            return got;
                                        });
                            });
        }
    }

    private int packs() {
        return Listing.all(store, "packs/").size();
    }

    private int progress() {
        return Listing.all(store, "progress/").size();
    }

    private void requireContent(CommittedBackup backup) throws IOException {
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            assertThat(entries).hasSize(relations.size() + files.size());
            for (ManifestEntry entry : entries) {
                switch (entry.content()) {
                    case Content.Paged paged ->
                            assertThat(pages(reader.map(paged), packs))
                                    .as(entry.path())
                                    .isEqualTo(relations.get(entry.path()));
                    case Content.Chunked chunked -> {
                        var out = new java.io.ByteArrayOutputStream();
                        for (ManifestEntry.ChunkRef chunk : chunked.chunks()) {
                            out.write(packs.read(chunk.frame()).toBytes());
                        }
                        assertThat(out.toByteArray()).isEqualTo(files.get(entry.path()));
                    }
                    default -> throw new AssertionError(entry);
                }
            }
        }
    }

    private static byte[] pages(SegmentMap map, PackReader packs) {
        byte[] content = new byte[map.pageCount() * BLOCK];
        for (int page = 0; page < map.pageCount(); page++) {
            var frame = packs.read(map.frames().get(map.frameOf()[page]).ref());
            int[] blocks = PageList.read("test", frame.meta()).blocks();
            int at = java.util.Arrays.binarySearch(blocks, page);
            System.arraycopy(frame.toBytes(), at * BLOCK, content, page * BLOCK, BLOCK);
        }
        return content;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatAKilledBackupStoredIsUsedAgain(boolean givesUp) throws IOException {
        fill(new Random(7), 60);
        BackupWriter killed = source.newBackup(options(Optional.empty(), List.of()));
        store(killed, 50, ChangedPages.ALL);
        if (givesUp) {
            assertThat(killed.abort()).isTrue();
        }
        assertThat(source.backups()).isEmpty();
        long readBefore = pagesRead;

        List<BegunBackup> begun = source.begunBackups();
        assertThat(begun).hasSize(1);
        assertThat(begun.getFirst().givenUp()).isEqualTo(givesUp);
        assertThat(begun.getFirst().details().number("files")).isEqualTo(50);
        assertThat(begun.getFirst().takeOver(source)).isTrue();
        pagesRead = 0;
        CommittedBackup backup;
        long resumed;
        try (BackupWriter writer = source.newBackup(options(Optional.empty(), begun))) {
            store(writer, 60, ChangedPages.NONE);
            resumed = writer.resumed().bytes() / BLOCK;
            backup = writer.commit(Json.object());
        }
        long all = relations.values().stream().mapToLong(each -> each.length / BLOCK).sum();
        assertThat(resumed).isGreaterThan(readBefore / 4);
        assertThat(pagesRead).isEqualTo(all - resumed);
        assertThat(backup.statistics().number("pages-stored")).isEqualTo(all - resumed);
        requireContent(backup);
        assertThat(source.begunBackups()).isEmpty();
        assertThat(progress()).isZero();

        // whoever was thought dead and is not can do no harm
        int before = packs();
        if (!givesUp) {
            assertThatThrownBy(() -> killed.commit(Json.object()))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failed ->
                                    assertThat(failed.code()).isEqualTo(ErrorCode.BACKUP_ABORTED));
            before = packs();
        }
        assertThat(killed.abort()).isFalse();
        killed.close();
        assertThat(packs()).isEqualTo(before);
        requireContent(backup);
    }

    @Test
    void changesSinceAreFound() throws IOException {
        Random random = new Random(8);
        fill(random, 40);
        try (BackupWriter killed = source.newBackup(options(Optional.empty(), List.of()))) {
            store(killed, 40, ChangedPages.ALL);
            assertThat(killed.abort()).isTrue();
        }
        for (byte[] content : relations.values()) {
            content[random.nextInt(content.length)]++;
        }
        relations.remove("base/5/16400");
        relations.compute("base/5/16401", (_, content) -> java.util.Arrays.copyOf(content, BLOCK));
        try (BackupWriter writer =
                source.newBackup(options(Optional.empty(), source.begunBackups()))) {
            store(writer, 40, ChangedPages.ALL);
            requireContent(writer.commit(Json.object()));
        }
    }

    /// Each goes on from the one before, and is killed as well; a damaged object costs only itself.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    void anyNumberOfAttempts(int seed) throws IOException {
        Random random = new Random(seed);
        fill(random, 80);
        CommittedBackup parent;
        try (BackupWriter writer = source.newBackup(options(Optional.empty(), List.of()))) {
            store(writer, 80, ChangedPages.ALL);
            parent = writer.commit(Json.object());
        }
        Optional<CommittedBackup> on = seed % 2 == 0 ? Optional.of(parent) : Optional.empty();
        for (int attempt = 0; attempt < 5; attempt++) {
            for (byte[] content : relations.values()) {
                if (random.nextBoolean()) {
                    random.nextBytes(content);
                }
            }
            List<BegunBackup> begun = source.begunBackups();
            begun.forEach(each -> assertThat(each.takeOver(source)).isTrue());
            BackupWriter writer = source.newBackup(options(on, begun));
            store(writer, random.nextInt(81), ChangedPages.ALL);
            if (random.nextBoolean()) {
                writer.abort();
            }
            if (random.nextInt(3) == 0 && progress() > 0) {
                String name = Listing.all(store, "progress/").getFirst().name();
                byte[] bytes = store.get(name, 0, store.size(name).orElseThrow().intValue());
                store.delete(name);
                bytes[random.nextInt(bytes.length)]++;
                store.put(name, java.nio.ByteBuffer.wrap(bytes));
            }
        }
        try (BackupWriter writer = source.newBackup(options(on, source.begunBackups()))) {
            store(writer, 80, ChangedPages.ALL);
            requireContent(writer.commit(Json.object()));
        }
        try (BackupWriter writer = source.newBackup(options(Optional.of(parent), List.of()))) {
            store(writer, 80, ChangedPages.ALL);
            requireContent(writer.commit(Json.object()));
        }
    }

    @Test
    void aBackupThatStoredNothingLeavesNothing() {
        try (BackupWriter writer = source.newBackup(options(Optional.empty(), List.of()))) {
            writer.blockSize(BLOCK);
            writer.putDownProgress(Json::object);
            assertThat(writer.abort()).isFalse();
        }
        assertThat(source.begunBackups()).isEmpty();
        assertThat(packs()).isZero();
    }

    @Test
    void whatFailsWhilePuttingDownAtTheEndLosesNothing() throws IOException {
        fill(new Random(9), 30);
        try (BackupWriter writer = source.newBackup(options(Optional.empty(), List.of()))) {
            store(writer, 30, ChangedPages.ALL);
            writer.putDownProgress(
                    () -> {
                        throw new IllegalStateException("the server is gone");
                    });
            writer.abort();
        }
        assertThat(source.backups()).isEmpty();
    }
}
