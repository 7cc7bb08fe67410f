package dev.mainstay.engine.restore;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// A made-up cluster with a tablespace, its backups with tiny frames, and restores of them.
final class DeltaSite {
    static final int BLOCK = 1024;
    static final SystemId SYSTEM = SystemId.of(0x1122334455667788L);
    static final String SPACE = "pg_tblspc/16400";
    static final String VERSION = "PG_17_202406281";
    private static final Instant NOW = Instant.parse("2026-11-21T04:15:00Z");
    private static final int SEGMENT = 1 << 20;

    private final Random random;
    private final ObjectStore store = MemoryStore.create();
    private final AtomicInteger getsLeft = new AtomicInteger(Integer.MAX_VALUE);
    private final Path space;
    final ProtectedSource source;
    final Map<String, byte[]> relations = new TreeMap<>();
    final Map<String, byte[]> files = new TreeMap<>();
    private Optional<CommittedBackup> newest = Optional.empty();

    /// @param space where the cluster has its tablespace
    DeltaSite(long seed, Path space) {
        this.random = new Random(seed);
        this.space = space;
        ObjectStore failing =
                (ObjectStore)
                        Proxy.newProxyInstance(
                                ObjectStore.class.getClassLoader(),
                                new Class<?>[] {ObjectStore.class},
                                (_, method, arguments) -> {
                                    if (method.getName().equals("get")
                                            && getsLeft.decrementAndGet() < 0) {
                                        throw new MainstayException(
                                                ErrorCode.STORE_UNAVAILABLE, "gone");
                                    }
                                    try {
                                        return method.invoke(store, arguments);
                                    } catch (InvocationTargetException failed) {
                                        throw Objects.requireNonNull(failed.getCause());
                                    }
                                });
        Ground ground = new Ground(() -> NOW, new Random(seed + 1));
        this.source = Repository.create(failing, Optional.empty(), ground).sourceOrAdd("orders");
        for (int i = 0; i < 6; i++) {
            relations.put("base/5/" + (16384 + i), bytes(BLOCK * random.nextInt(120)));
        }
        relations.put(SPACE + "/" + VERSION + "/5/20000", bytes(BLOCK * 70));
        relations.put("base/5/empty", new byte[0]);
        files.put("PG_VERSION", "17\n".getBytes(StandardCharsets.US_ASCII));
        files.put("base/5/PG_VERSION", "17\n".getBytes(StandardCharsets.US_ASCII));
        files.put("global/pg_filenode.map", bytes(512));
        files.put("postgresql.conf", "port = 1\n".getBytes(StandardCharsets.US_ASCII));
        files.put("postgresql.auto.conf", "work_mem = '1MB'\n".getBytes(StandardCharsets.US_ASCII));
        files.put("pg_xact/0000", bytes(60_000));
        files.put("pg_logical/none", new byte[0]);
        files.put("/etc/postgresql/17/main/pg_hba.conf", bytes(300));
        files.put(ControlFile.PATH, control(SYSTEM));
    }

    static byte[] control(SystemId system) {
        byte[] bytes = new byte[ControlFile.SIZE_BYTES];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(0, Long.parseUnsignedLong(system.toString()));
        out.putInt(8, 1300).putInt(12, 202406281).putInt(16, 5).putLong(24, 1_700_000_000L);
        out.putInt(48, 1).putInt(52, 1).putInt(172, 1);
        out.putInt(204, 8).putDouble(208, 1234567.0);
        out.putInt(216, 8192).putInt(220, 131072).putInt(224, 8192).putInt(228, 1 << 24);
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, 288);
        out.putInt(288, (int) crc.getValue());
        return bytes;
    }

    byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /// Some pages change, some files come and go.
    void change() {
        for (String path : List.copyOf(relations.keySet())) {
            byte[] content = Objects.requireNonNull(relations.get(path)).clone();
            for (int i = 0; i < content.length / BLOCK / 8; i++) {
                content[random.nextInt(content.length)]++;
            }
            if (random.nextInt(5) == 0) {
                content = Arrays.copyOf(content, BLOCK * random.nextInt(120));
            }
            relations.put(path, content);
        }
        relations.put("base/5/" + (17000 + random.nextInt(1000)), bytes(BLOCK * 20));
        files.put("pg_xact/" + random.nextInt(9), bytes(random.nextInt(50_000)));
    }

    CommittedBackup backUp() throws IOException {
        BackupOptions options =
                new BackupOptions(
                        newest.isPresent() ? "incremental" : "full",
                        newest,
                        1,
                        ByteSize.of(100_000),
                        new BackupOptions.FrameShape(8, 4, 1 << 10, 1 << 12, 1 << 14),
                        1000);
        BackupDetails details = details();
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            Set<String> folders = new TreeSet<>(List.of("", "pg_wal", "pg_tblspc"));
            Stream.concat(relations.keySet().stream(), files.keySet().stream())
                    .filter(path -> !path.startsWith("/"))
                    .forEach(path -> parents(path, folders));
            folders.remove(SPACE);
            folders.forEach(path -> writer.directory(facts(path, 0700)));
            writer.link(facts(SPACE, 0777), space.toString());
            writer.link(facts("pg_linked", 0777), "/nowhere");
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                relations.forEach(
                        (path, content) ->
                                worker.pagedFile(
                                        facts(path, 0600),
                                        content.length / BLOCK,
                                        (from, count, into) -> {
                                            System.arraycopy(
                                                    content, from * BLOCK, into, 0, count * BLOCK);
                                            return count;
                                        }));
            }
            for (var file : files.entrySet()) {
                writer.file(
                        facts(file.getKey(), file.getKey().endsWith("conf") ? 0640 : 0600),
                        new ByteArrayInputStream(file.getValue()));
            }
            newest = Optional.of(writer.commit(details.toJson()));
        }
        return newest.get();
    }

    private static void parents(String path, Set<String> into) {
        for (int slash = path.lastIndexOf('/');
                slash > 0;
                slash = path.lastIndexOf('/', slash - 1)) {
            into.add(path.substring(0, slash));
        }
    }

    private static FileFacts facts(String path, int mode) {
        return new FileFacts(
                path, mode, "nobody", "nogroup", 1_700_000_000_000_000L + path.length());
    }

    private BackupDetails details() {
        Lsn start = Lsn.of(SEGMENT + 40L);
        return new BackupDetails(
                SYSTEM,
                TimelineId.of(1),
                start,
                start.plus(1000),
                NOW,
                NOW.plusSeconds(1),
                new BackupDetails.Server(170002, "17.2", 202406281, 1700),
                new BackupDetails.Layout(BLOCK, 131072, SEGMENT, 8192, true),
                "/nowhere/data",
                "START WAL LOCATION\n",
                "16400 " + space + "\n",
                List.of(new BackupDetails.Tablespace("16400", space.toString())),
                List.of("/etc/postgresql/17/main/pg_hba.conf"),
                new BackupDetails.Judgement(List.of(), 0, List.of(), List.of()));
    }

    /// As the planner makes it, but for the WAL.
    RestorePlan plan(CommittedBackup backup, Path directory, Path spaceTo) {
        long[] volume = new long[2];
        try (BackupReader reader = source.read(backup)) {
            reader.entries(
                    entry -> {
                        volume[0]++;
                        volume[1] += entry.sizeBytes();
                    });
        }
        RestoreRequest request =
                new RestoreRequest(
                        directory,
                        Optional.of(backup.id()),
                        new RestoreRequest.Recovery(
                                new RestoreTarget.Immediate(),
                                new TimelineChoice.Latest(),
                                RestoreRequest.Action.PAUSE,
                                false,
                                false,
                                "cp %f %p"),
                        Map.of(),
                        false,
                        2);
        WalSegment segment = new WalSegment(TimelineId.of(1), 1, SEGMENT);
        return new RestorePlan(
                request,
                backup,
                BackupDetails.read(backup.details()),
                new RestorePlan.Replay(
                        "1", segment, segment, Lsn.of(SEGMENT * 2L), Optional.empty()),
                new RestorePlan.Volume(volume[0], ByteSize.of(volume[1])),
                List.of(new Tablespace("16400", space.toString(), spaceTo)),
                List.of());
    }

    void restore(CommittedBackup backup, Path directory, Path spaceTo) {
        new RestoreRun(source, plan(backup, directory, spaceTo), Progress.none()).execute();
    }

    DeltaRestore.Result delta(CommittedBackup backup, Path directory, Path spaceTo) {
        return new DeltaRestore(source, plan(backup, directory, spaceTo), Progress.none())
                .execute();
    }

    /// As soon as so many reads were served the store is gone.
    void failAfter(int gets) {
        getsLeft.set(gets);
    }

    void dropFingerprints() {
        ListPage page = store.list("packs/fingerprints/", "", 1000);
        page.objects().forEach(object -> store.delete(object.name()));
    }

    /// Everything there is to see of a directory: kinds, modes, owners, links, times and content of
    /// files. Of what a restore writes itself the time is its own.
    static Map<String, String> picture(Path directory) throws IOException {
        Map<String, String> picture = new TreeMap<>();
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                picture.put(directory.relativize(path).toString(), of(path));
            }
        }
        return picture;
    }

    private static String of(Path path) throws IOException {
        Map<String, Object> facts =
                Files.readAttributes(
                        path,
                        "unix:mode,uid,gid,lastModifiedTime,isDirectory,isSymbolicLink",
                        LinkOption.NOFOLLOW_LINKS);
        String text = facts.get("mode") + " " + facts.get("uid") + " " + facts.get("gid") + " ";
        if (Boolean.TRUE.equals(facts.get("isDirectory"))) {
            return text + "directory";
        }
        if (Boolean.TRUE.equals(facts.get("isSymbolicLink"))) {
            return text + "link " + Files.readSymbolicLink(path);
        }
        String name = path.getFileName().toString();
        if (name.equals("backup_manifest")) {
            return text
                    + Files.readString(path)
                            .replaceAll("Last-Modified\": \"[^\"]*\"", "")
                            .replaceAll("Manifest-Checksum\": \"[^\"]*\"", "");
        }
        boolean own =
                Set.of("backup_label", "tablespace_map", "recovery.signal", "postgresql.auto.conf")
                        .contains(name);
        return text
                + (own ? "" : facts.get("lastModifiedTime") + " ")
                + new String(Files.readAllBytes(path), StandardCharsets.ISO_8859_1);
    }
}
