package dev.mainstay.engine.proof;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Digest128;
import dev.mainstay.repository.format.Frame;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PageList;
import dev.mainstay.repository.format.SegmentMap;
import dev.mainstay.storage.ObjectStore;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/// A small repository with everything in it that format 1 knows and writers write: two backups
/// (some files with their chunks in lists apart), WAL segments with summaries that know the newest
/// records, a history file, a part, records. Made by a seeded generator with a clock that steps.
public final class SampleRepository {
    public static final int BLOCK = 1024;
    public static final SystemId SYSTEM = SystemId.of(0x1122334455667788L);
    static final long FIRST_SEGMENT = 4;
    static final int SEGMENTS = 5;

    final Map<String, byte[]> relations = new TreeMap<>();
    final Map<String, byte[]> files = new TreeMap<>();
    final List<Map<String, byte[]>> contents = new ArrayList<>();
    private final Map<BackupId, Map<String, byte[]>> byBackup = new TreeMap<>();
    private final Random random;
    private final Ground ground;
    private final Optional<Credential> credential;

    SampleRepository(long seed, Optional<Credential> credential) {
        this.random = new Random(seed);
        long[] seconds = {0};
        Instant begin = Instant.parse("2026-11-21T04:15:00Z");
        Random ids = new Random(seed + 1);
        this.ground = new Ground(() -> begin.plusSeconds(seconds[0]++), ids);
        this.credential = credential;
    }

    Repository open(ObjectStore store) {
        return Repository.open(store, credential, ground);
    }

    /// What a backup holds by path.
    Map<String, byte[]> content(BackupId backup) {
        return Objects.requireNonNull(byBackup.get(backup));
    }

    /// What each backup holds by path, oldest backup first.
    List<Map<String, byte[]>> contents() {
        return contents;
    }

    void write(ObjectStore store) throws IOException {
        Repository repository = Repository.create(store, credential, ground);
        ProtectedSource source = repository.sourceOrAdd("orders");
        for (int i = 0; i < 4; i++) {
            relations.put("base/5/" + (16384 + i), pages(1 + random.nextInt(40)));
            files.put("pg_xact/000" + i, bytes(random.nextInt(6000)));
        }
        files.put("PG_VERSION", "17\n".getBytes(StandardCharsets.US_ASCII));
        files.put("empty", new byte[0]);
        relations.put("base/5/20000", new byte[0]);
        wal(source, 0, 3);
        CommittedBackup full = backUp(source, Optional.empty(), FIRST_SEGMENT);
        source.records().append("hold", Json.object().put("backup", full.id().text()));
        byte[] changed = relations.get("base/5/16385");
        if (changed != null) {
            for (int i = 0; i < 3; i++) {
                changed[random.nextInt(changed.length)]++;
            }
        }
        files.put("pg_xact/0001", bytes(3000));
        relations.put("base/5/16390", pages(7));
        backUp(source, Optional.of(full), FIRST_SEGMENT + 2);
        source.records().append("verification", Json.object().put("ok", true));
        wal(source, 3, SEGMENTS);
        archivePart(source);
    }

    CommittedBackup backUpAgain(ProtectedSource source) throws IOException {
        return backUp(source, Optional.empty(), FIRST_SEGMENT + 3);
    }

    CommittedBackup backUpUpon(ProtectedSource source, CommittedBackup parent) throws IOException {
        return backUp(source, Optional.of(parent), FIRST_SEGMENT + 3);
    }

    /// As of a standby that is far behind.
    CommittedBackup backUpLate(ProtectedSource source) throws IOException {
        return backUp(source, Optional.empty(), FIRST_SEGMENT);
    }

    /// Some bytes of a relation, and a file.
    void change() {
        byte[] changed = relations.get("base/5/16385");
        if (changed != null && changed.length > 0) {
            changed[random.nextInt(changed.length)]++;
        }
        files.put("pg_xact/0002", bytes(4000));
    }

    /// The segment in which a backup lies.
    static long segmentOf(CommittedBackup backup) {
        return BackupDetails.find(backup).orElseThrow().startSegment().number();
    }

    /// That ended at this time, as its server said, and began in this segment.
    CommittedBackup backUpAt(
            ProtectedSource source, Optional<CommittedBackup> parent, Instant end, long segment)
            throws IOException {
        return backUp(source, parent, details(segment, end));
    }

    /// One more segment, whose summary knows the newest records.
    static void moreWal(ProtectedSource source) {
        wal(source, SEGMENTS, SEGMENTS + 1);
        source.wal(SYSTEM, 3).collectParts(SampleLog.segment(FIRST_SEGMENT + SEGMENTS));
    }

    /// The same cluster, for backups in another store that holds the same so far.
    SampleRepository goingOn() {
        SampleRepository other = new SampleRepository(random.nextLong(), credential);
        relations.forEach((path, content) -> other.relations.put(path, content.clone()));
        other.files.putAll(files);
        other.byBackup.putAll(byBackup);
        return other;
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (random.nextInt(4) == 0 ? random.nextInt(256) : 'a');
        }
        return bytes;
    }

    private byte[] pages(int pages) {
        return bytes(pages * BLOCK);
    }

    private static void wal(ProtectedSource source, int from, int to) {
        WalArchive archive = source.wal(SYSTEM, 3);
        List<byte[]> segments = SampleLog.segments(7, FIRST_SEGMENT, SEGMENTS + 1);
        for (int i = from; i < to; i++) {
            var segment = SampleLog.segment(FIRST_SEGMENT + i);
            archive.put(segment, segments.get(i));
            archive.putSummary(segment, SampleLog.summary(segment, segments.get(i)));
        }
    }

    private static void archivePart(ProtectedSource source) {
        WalArchive archive = source.wal(SYSTEM, 3);
        archive.putFile("00000001.history", "# none\n".getBytes(StandardCharsets.US_ASCII));
        archive.putPart(
                SampleLog.segment(FIRST_SEGMENT + SEGMENTS),
                0,
                Arrays.copyOf(
                        SampleLog.segments(7, FIRST_SEGMENT, SEGMENTS + 1).get(SEGMENTS), 5000));
    }

    private CommittedBackup backUp(
            ProtectedSource source, Optional<CommittedBackup> parent, long segment)
            throws IOException {
        return backUp(source, parent, details(segment));
    }

    private CommittedBackup backUp(
            ProtectedSource source, Optional<CommittedBackup> parent, BackupDetails details)
            throws IOException {
        BackupOptions options =
                new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        3,
                        ByteSize.of(30_000),
                        new BackupOptions.FrameShape(16, 4, 256, 1024, 4096, 3, 50),
                        1000);
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                relations.forEach(
                        (path, content) ->
                                worker.pagedFile(
                                        facts(path),
                                        content.length / BLOCK,
                                        (first, pages, into) -> {
                                            int got =
                                                    Math.min(pages, content.length / BLOCK - first);
                                            System.arraycopy(
                                                    content, first * BLOCK, into, 0, got * BLOCK);
                                            return got;
                                        }));
            }
            writer.directory(facts("base"));
            writer.link(facts("pg_tblspc/16400"), "/somewhere/else");
            writer.catalog(
                    "{\"kind\":\"database\",\"name\":\"orders\"}\n"
                            .getBytes(StandardCharsets.UTF_8));
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                writer.file(facts(file.getKey()), new ByteArrayInputStream(file.getValue()));
            }
            writer.needsWal(
                    details.systemId(), details.timeline(), details.startLsn(), details.stopLsn());
            CommittedBackup backup = writer.commit(details.toJson());
            Map<String, byte[]> content = new TreeMap<>(files);
            relations.forEach((path, bytes) -> content.put(path, bytes.clone()));
            contents.add(content);
            byBackup.put(backup.id(), content);
            return backup;
        }
    }

    static BackupDetails details(long segment) {
        return details(segment, Instant.parse("2026-11-21T04:15:00Z"));
    }

    private static BackupDetails details(long segment, Instant time) {
        Lsn start = SampleLog.start(segment).plus(40);
        return new BackupDetails(
                SYSTEM,
                TimelineId.of(1),
                start,
                SampleLog.start(segment).plus(3000),
                time,
                time,
                new BackupDetails.Server(170002, "17.2", 202406281, 1700),
                new BackupDetails.Layout(BLOCK, 131072, SampleLog.SEGMENT, 8192, true),
                "/data",
                "",
                "",
                List.of(),
                List.of(),
                new BackupDetails.Judgement(List.of(), 0, List.of(), List.of()));
    }

    static FileFacts facts(String path) {
        return new FileFacts(path, 0600, "postgres", "postgres", 1);
    }

    /// Reads a backup as a restore does, and compares each file's checksum.
    static Map<String, byte[]> restore(ProtectedSource source, CommittedBackup backup) {
        Map<String, byte[]> contents = new TreeMap<>();
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            for (ManifestEntry entry : entries) {
                byte[] content =
                        switch (entry.content()) {
                            case Content.Paged paged -> pages(reader.map(paged), packs);
                            case Content.Chunked chunked -> chunks(chunked, packs);
                            case Content.Directory _, Content.Link _ -> new byte[0];
                        };
                CRC32C crc = new CRC32C();
                crc.update(content);
                if ((int) crc.getValue() != entry.crc32c()) {
                    throw new IllegalStateException("crc of " + entry.path());
                }
                if (!(entry.content() instanceof Content.Directory)
                        && !(entry.content() instanceof Content.Link)) {
                    contents.put(entry.path(), content);
                }
            }
        }
        return contents;
    }

    private static byte[] chunks(Content.Chunked chunked, PackReader packs) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (ManifestEntry.ChunkRef chunk : chunked.chunks()) {
            PackReader.Proof same = (_, found) -> Arrays.equals(found.meta(), chunk.id().bytes());
            bytes.writeBytes(packs.read(chunk.frame(), same).toBytes());
        }
        return bytes.toByteArray();
    }

    private static byte[] pages(SegmentMap map, PackReader packs) {
        byte[] content = new byte[map.pageCount() * BLOCK];
        for (int index = 0; index < map.frames().size(); index++) {
            SegmentMap.MappedFrame wanted = map.frames().get(index);
            PackReader.Proof same =
                    (_, found) ->
                            Digest128.of(found.payload(), 0, found.length())
                                    .equals(wanted.digest());
            Frame frame = packs.read(wanted.ref(), same);
            int[] blocks = PageList.read("test", frame.meta()).blocks();
            for (int i = 0; i < blocks.length; i++) {
                if (blocks[i] < map.pageCount() && map.frameOf()[blocks[i]] == index) {
                    System.arraycopy(frame.payload(), i * BLOCK, content, blocks[i] * BLOCK, BLOCK);
                }
            }
        }
        return content;
    }
}
