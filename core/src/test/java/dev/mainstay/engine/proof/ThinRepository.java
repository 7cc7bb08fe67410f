package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.retention.SourceExpiry;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.CompactionRule;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.UnneededWal;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;

/// A repository of a source of many small files with content that does not compress, of which parts
/// change, so that packs get thin once backups are gone.
final class ThinRepository {
    static final CompactionRule HALF =
            new CompactionRule(
                    50, ByteSize.of(1), Duration.ZERO, ByteSize.mib(100), ByteSize.of(20_000));

    private static final int BLOCK = SampleRepository.BLOCK;

    private final Random random;
    private final Ground ground;
    private final Optional<Credential> credential;
    private final Map<String, byte[]> data = new TreeMap<>();
    private final Map<BackupId, Map<String, byte[]>> contents = new HashMap<>();

    ThinRepository(long seed, ObjectStore store, Optional<Credential> credential) {
        this.random = new Random(seed);
        long[] seconds = new long[1];
        Instant begin = Instant.parse("2026-11-21T04:15:00Z");
        this.ground = new Ground(() -> begin.plusSeconds(seconds[0]++), new Random(seed + 1));
        this.credential = credential;
        for (int i = 0; i < 12; i++) {
            data.put("base/5/" + (16384 + i), bytes(4 * BLOCK));
            data.put("pg_xact/00" + (10 + i), bytes(3000));
        }
        Repository.create(store, credential, ground).sourceOrAdd("orders");
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    Repository open(ObjectStore on) {
        return Repository.open(on, credential, ground);
    }

    ProtectedSource source(ObjectStore on) {
        return open(on).source("orders").orElseThrow();
    }

    /// Gives some files another content: those whose number leaves a rest below `below`.
    void change(int divisor, int below) {
        int number = 0;
        for (Map.Entry<String, byte[]> each : data.entrySet()) {
            if (number++ % divisor < below) {
                each.setValue(bytes(each.getValue().length));
            }
        }
    }

    CommittedBackup backUp(ObjectStore on) {
        return backUp(on, Optional.empty());
    }

    CommittedBackup backUp(ObjectStore on, Optional<CommittedBackup> parent) {
        BackupOptions options =
                new BackupOptions(
                        parent.isPresent() ? "incremental" : "full",
                        parent,
                        1,
                        ByteSize.of(20_000),
                        new BackupOptions.FrameShape(4, 2, 256, 1024, 4096, 3, 50),
                        1000);
        Map<String, byte[]> content = new TreeMap<>(data); // others change it meanwhile
        try (BackupWriter writer = source(on).newBackup(options)) {
            writer.blockSize(BLOCK);
            writer.putDownProgress(() -> Json.object().put("some", "details"));
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                for (Map.Entry<String, byte[]> each : content.entrySet()) {
                    byte[] bytes = each.getValue();
                    if (each.getKey().startsWith("base/")) {
                        worker.pagedFile(
                                SampleRepository.facts(each.getKey()),
                                bytes.length / BLOCK,
                                (first, pages, into) -> {
                                    System.arraycopy(bytes, first * BLOCK, into, 0, pages * BLOCK);
                                    return pages;
                                });
                    } else {
                        writer.file(
                                SampleRepository.facts(each.getKey()),
                                new ByteArrayInputStream(bytes));
                    }
                }
            }
            contents.put(writer.id(), content);
            return writer.commit(SampleRepository.details(4).toJson());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    CommittedBackup backUpUponNewest(ObjectStore on) {
        return backUp(on, Optional.of(source(on).backups().getLast()));
    }

    void expire(ObjectStore on) {
        SourceExpiry expiry = new SourceExpiry(source(on), ExpiryTest.newest(1), ExpiryTest.NOW);
        expiry.run(expiry.plan());
    }

    Prune prune(ObjectStore on, CompactionRule rule) {
        return new Prune(open(on), Duration.ofDays(7), false, UnneededWal.NONE, rule, _ -> {});
    }

    Prune.Report prune(ObjectStore on) {
        return prune(on, HALF).run();
    }

    /// Every listed backup has its content.
    void demandWhole(ObjectStore on) {
        ProtectedSource source = source(on);
        for (CommittedBackup each : source.backups()) {
            Map<String, byte[]> expected = contents.getOrDefault(each.id(), Map.of());
            Map<String, byte[]> restored = SampleRepository.restore(source, each);
            assertThat(restored.keySet()).as("backup %s", each.id()).isEqualTo(expected.keySet());
            restored.forEach(
                    (path, bytes) ->
                            assertThat(java.util.Arrays.equals(bytes, expected.get(path)))
                                    .as("%s of backup %s", path, each.id())
                                    .isTrue());
        }
    }
}
