package dev.mainstay.engine.proof;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.BegunBackup;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/// A simulated cluster: files that change, a log that goes on, and what each backup of it holds.
final class SimulatedSource {
    private static final int BLOCK = SampleRepository.BLOCK;

    private final String name;
    private final Random random;
    private final SimulationTrace trace;
    private final SimulatedLog log;
    private final Map<String, byte[]> data = new TreeMap<>();
    private final Map<BackupId, Map<String, byte[]>> contents = new HashMap<>();

    SimulatedSource(String name, long system, Random random, SimulationTrace trace) {
        this.name = name;
        this.random = random;
        this.trace = trace;
        this.log = new SimulatedLog(system);
        for (int i = 0; i < 3; i++) {
            data.put("base/5/" + (16384 + i), bytes(BLOCK * (3 + random.nextInt(12))));
            data.put("pg_xact/000" + i, bytes(200 + random.nextInt(3000)));
        }
    }

    String name() {
        return name;
    }

    SimulatedLog log() {
        return log;
    }

    Map<String, byte[]> content(BackupId backup) {
        return contents.getOrDefault(backup, Map.of());
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    /// Some files change; sometimes one comes or goes.
    private Map<String, byte[]> change() {
        for (Map.Entry<String, byte[]> each : data.entrySet()) {
            if (random.nextInt(3) == 0) {
                byte[] changed = each.getValue().clone();
                for (int i = 0; i < 3; i++) {
                    changed[random.nextInt(changed.length)]++;
                }
                each.setValue(changed);
            }
        }
        String some = "pg_xact/00" + (10 + random.nextInt(5));
        if (random.nextInt(4) == 0 && data.remove(some) == null) {
            data.put(some, bytes(random.nextInt(5000)));
        }
        return new TreeMap<>(data);
    }

    /// One backup, as a host takes it that sees the repository through `source`.
    void backUp(ProtectedSource source) {
        List<CommittedBackup> listed = source.backups();
        Optional<CommittedBackup> parent =
                listed.isEmpty() || random.nextInt(4) == 0
                        ? Optional.empty()
                        : Optional.of(
                                random.nextBoolean()
                                        ? listed.getLast()
                                        : listed.get(random.nextInt(listed.size())));
        List<BegunBackup> begun =
                random.nextBoolean()
                        ? List.of()
                        : source.begunBackups().stream()
                                .filter(each -> each.takeOver(source))
                                .toList();
        BackupOptions options =
                new BackupOptions(
                                parent.isPresent() ? "incremental" : "full",
                                parent,
                                1,
                                ByteSize.of(9_000),
                                new BackupOptions.FrameShape(4, 2, 256, 1024, 4096, 3, 50),
                                1000)
                        .resuming(begun);
        Map<String, byte[]> content = change();
        // A standby may be behind, and begin in WAL of the past.
        boolean behind = random.nextInt(5) == 0;
        int segment = behind ? Math.max(4, log.head() - 1 - random.nextInt(40)) : log.finish();
        try (BackupWriter writer = source.newBackup(options)) {
            try {
                store(writer, content);
                commit(source, writer, content, segment);
            } catch (MainstayException failed) {
                trace.count("backups failed: " + failed.code());
                demand(
                        failed,
                        ErrorCode.BACKUP_ABORTED,
                        ErrorCode.STORE_OBJECT_MISSING,
                        ErrorCode.STORE_UNAVAILABLE,
                        ErrorCode.WAL_FREED,
                        ErrorCode.BACKUP_ARCHIVE_DEAD);
                writer.abort();
            }
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    static void demand(MainstayException failed, ErrorCode... expected) {
        if (!List.of(expected).contains(failed.code())) {
            throw new AssertionError("unexpected: " + failed, failed);
        }
    }

    /// As [dev.mainstay.engine.backup.ClusterBackup] does once everything is copied.
    private void commit(
            ProtectedSource source, BackupWriter writer, Map<String, byte[]> content, int segment) {
        if (!log.stored().contains(segment)) {
            log.push(source, segment);
        }
        WalArchive archive = log.archive(source);
        if (!archive.has(SimulatedLog.segment(segment))) {
            throw new MainstayException(ErrorCode.BACKUP_ARCHIVE_DEAD, "WAL is not there");
        }
        BackupDetails details =
                log.details(segment, source.repository().ground().clock().instant(), BLOCK);
        writer.needsWal(
                details.systemId(), details.timeline(), details.startLsn(), details.stopLsn());
        contents.put(writer.id(), content);
        trace.count(writer.resumed().bytes() > 0 ? "resumed" : "not resumed");
        CommittedBackup _ = writer.commit(details.toJson());
        trace.count("committed");
    }

    private static void store(BackupWriter writer, Map<String, byte[]> content) throws IOException {
        writer.blockSize(BLOCK);
        writer.putDownProgress(() -> Json.object().put("some", "details"));
        try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
            content.forEach(
                    (path, bytes) -> {
                        if (path.startsWith("base/")) {
                            worker.pagedFile(
                                    SampleRepository.facts(path),
                                    bytes.length / BLOCK,
                                    (first, pages, into) -> {
                                        int got = Math.min(pages, bytes.length / BLOCK - first);
                                        System.arraycopy(
                                                bytes, first * BLOCK, into, 0, got * BLOCK);
                                        return got;
                                    });
                        }
                    });
        }
        for (Map.Entry<String, byte[]> each : content.entrySet()) {
            if (!each.getKey().startsWith("base/")) {
                writer.file(
                        SampleRepository.facts(each.getKey()),
                        new ByteArrayInputStream(each.getValue()));
            }
        }
    }

    /// The archiver's work: what is due, and sometimes what it has pushed before.
    void archive(ProtectedSource source) {
        for (int times = 1 + random.nextInt(2); times > 0; times--) {
            int number = log.oldestPending().orElseGet(log::finish);
            log.push(source, number);
            log.summarise(source, number);
            log.archive(source).collectParts(SimulatedLog.segment(number));
        }
        if (random.nextInt(3) == 0) {
            log.pushPart(source, 1 + random.nextInt(5000));
        }
        Optional<Integer> before = log.anyStored(random);
        if (random.nextInt(4) == 0 && before.isPresent()) {
            log.push(source, before.get());
            trace.count("pushed again");
        }
    }
}
