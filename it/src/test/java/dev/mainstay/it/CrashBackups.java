package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.ObjectStore;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/// Small synthetic backups on any store: written, and read back byte for byte.
final class CrashBackups {
    private static final int BLOCK = 1024;
    private static final Optional<Credential> KEY =
            Optional.of(new Credential.KeyFile(new byte[32]));

    private CrashBackups() {}

    /// What one backup holds: relation files in pages, and other files.
    record State(Map<String, byte[]> relations, Map<String, byte[]> files) {
        static State random(long seed) {
            Random random = new Random(seed);
            Map<String, byte[]> relations = new TreeMap<>();
            Map<String, byte[]> files = new TreeMap<>();
            for (int i = 0; i < 4; i++) {
                relations.put("base/5/" + (16384 + i), bytes(random, BLOCK * (1 + 20 * i)));
                files.put("pg_xact/" + i, bytes(random, 1 + random.nextInt(9000)));
            }
            return new State(relations, files);
        }

        private static byte[] bytes(Random random, int length) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            return bytes;
        }

        /// The same cluster some time later: a page or more of each file differs.
        State later(long seed) {
            Random random = new Random(seed);
            Map<String, byte[]> changed = new TreeMap<>();
            relations.forEach(
                    (path, before) -> {
                        byte[] after = before.clone();
                        for (int n = 0; n < 3; n++) {
                            after[random.nextInt(after.length)]++;
                        }
                        changed.put(path, after);
                    });
            Map<String, byte[]> others = new TreeMap<>(files);
            others.put("pg_xact/0", bytes(random, 5000));
            return new State(changed, others);
        }
    }

    static Ground ground(long seed) {
        return new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(seed));
    }

    static Repository create(ObjectStore store, long seed) {
        return Repository.create(store, KEY, ground(seed));
    }

    /// Opened anew, as another process would.
    static ProtectedSource open(ObjectStore store, long seed) {
        return Repository.open(store, KEY, ground(seed)).source("orders").orElseThrow();
    }

    static CommittedBackup backUp(
            ProtectedSource source, Optional<CommittedBackup> parent, State state)
            throws IOException {
        BackupOptions options =
                new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        3,
                        ByteSize.of(30_000),
                        new BackupOptions.FrameShape(16, 4, 256, 1024, 4096),
                        Long.MAX_VALUE);
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                state.relations()
                        .forEach(
                                (path, content) ->
                                        worker.pagedFile(
                                                facts(path),
                                                content.length / BLOCK,
                                                (first, pages, into) ->
                                                        copy(content, first, pages, into)));
            }
            writer.directory(facts("base"));
            for (Map.Entry<String, byte[]> file : state.files().entrySet()) {
                writer.file(facts(file.getKey()), new ByteArrayInputStream(file.getValue()));
            }
            return writer.commit(Json.object());
        }
    }

    private static int copy(byte[] content, int first, int pages, byte[] into) {
        int got = Math.min(pages, content.length / BLOCK - first);
        System.arraycopy(content, first * BLOCK, into, 0, got * BLOCK);
        return got;
    }

    private static FileFacts facts(String path) {
        return new FileFacts(path, 0600, "postgres", "postgres", 1);
    }

    /// Reads all of a backup and compares each byte.
    static void assertHolds(ProtectedSource source, CommittedBackup backup, State expected) {
        Map<String, byte[]> contents = new HashMap<>();
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            for (ManifestEntry entry : entries) {
                switch (entry.content()) {
                    case Content.Paged paged ->
                            contents.put(entry.path(), pages(reader.map(paged), packs));
                    case Content.Chunked chunked ->
                            contents.put(entry.path(), join(chunked, packs));
                    case Content.Directory _, Content.Link _ -> {}
                }
            }
        }
        Map<String, byte[]> wanted = new HashMap<>(expected.relations());
        wanted.putAll(expected.files());
        assertThat(contents).containsOnlyKeys(wanted.keySet());
        wanted.forEach((path, bytes) -> assertThat(contents.get(path)).as(path).isEqualTo(bytes));
    }

    private static byte[] join(Content.Chunked chunked, PackReader packs) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        chunked.chunks().forEach(chunk -> bytes.writeBytes(packs.read(chunk.frame()).toBytes()));
        return bytes.toByteArray();
    }

    private static byte[] pages(SegmentMap map, PackReader packs) {
        byte[] content = new byte[map.pageCount() * BLOCK];
        for (int i = 0; i < map.frames().size(); i++) {
            int index = i;
            packs.readAll(
                    List.of(map.frames().get(i).ref()),
                    (_, frame) -> {
                        int[] blocks = PageList.read("test", frame.meta()).blocks();
                        for (int at = 0; at < blocks.length; at++) {
                            int block = blocks[at];
                            if (block < map.pageCount() && map.frameOf()[block] == index) {
                                System.arraycopy(
                                        frame.payload(), at * BLOCK, content, block * BLOCK, BLOCK);
                            }
                        }
                    });
        }
        return content;
    }
}
