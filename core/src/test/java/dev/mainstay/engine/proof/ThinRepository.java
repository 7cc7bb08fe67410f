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
    private final Map<String, byte[]> data;
    private final Map<BackupId, Map<String, byte[]>> contents;

    ThinRepository(long seed, ObjectStore store, Optional<Credential> credential) {
        this(seed, store, credential, 12);
    }

    /// @param files of each kind
    ThinRepository(long seed, ObjectStore store, Optional<Credential> credential, int files) {
        this.random = new Random(seed);
        this.ground = ground(seed + 1, Instant.parse("2026-11-21T04:15:00Z"));
        this.credential = credential;
        this.data = new TreeMap<>();
        this.contents = new HashMap<>();
        for (int i = 0; i < files; i++) {
            data.put("base/5/" + (16384 + i), bytes(4 * BLOCK));
            data.put("pg_xact/00" + (10 + i), bytes(3000));
        }
        Repository.create(store, credential, ground).sourceOrAdd("orders");
    }

    private ThinRepository(ThinRepository from, Map<String, byte[]> data, long player) {
        this.random = new Random(player);
        this.ground =
                ground(1000 + player, Instant.parse("2026-11-22T04:15:00Z").plusSeconds(player));
        this.credential = from.credential;
        this.data = new TreeMap<>(data);
        this.contents = from.contents;
    }

    /// All that goes on is done by the thread that asks for it.
    private static Ground ground(long seed, Instant begin) {
        long[] seconds = new long[1];
        return new Ground(() -> begin.plusSeconds(seconds[0]++), new Random(seed), Runnable::run);
    }

    /// Another process at the same repository: it sees the files as they are now, and what it does
    /// depends on nothing but what it reads in the store.
    ThinRepository process(long player) {
        return process(player, data);
    }

    ThinRepository process(long player, Map<String, byte[]> files) {
        return new ThinRepository(this, files, player);
    }

    Map<String, byte[]> data() {
        return new TreeMap<>(data);
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

    /// Changes one page of each relation.
    void touch() {
        data.replaceAll(
                (path, bytes) -> {
                    if (!path.startsWith("base/")) {
                        return bytes;
                    }
                    byte[] changed = bytes.clone();
                    changed[BLOCK + 100]++;
                    return changed;
                });
    }

    CommittedBackup backUp(ObjectStore on) {
        return backUp(on, Optional.empty());
    }

    CommittedBackup backUp(ObjectStore on, Optional<CommittedBackup> parent) {
        Map<String, byte[]> content = new TreeMap<>(data); // others change it meanwhile
        try (BackupWriter writer = source(on).newBackup(options(parent, 20_000))) {
            store(writer, content);
            contents.put(writer.id(), content);
            return writer.commit(SampleRepository.details(4).toJson());
        }
    }

    /// A backup that fails when it has stored its files; another one can go on from there.
    void failToBackUp(ObjectStore on, Optional<CommittedBackup> parent) {
        try (BackupWriter writer = source(on).newBackup(options(parent, 1_200))) {
            store(writer, data);
            assertThat(writer.abort()).as("leaves what it stored").isTrue();
        }
    }

    private static BackupOptions options(Optional<CommittedBackup> parent, int packBytes) {
        return new BackupOptions(
                parent.isPresent() ? "incremental" : "full",
                parent,
                1,
                ByteSize.of(packBytes),
                new BackupOptions.FrameShape(4, 2, 256, 1024, 4096, 3, 50),
                1000);
    }

    private static void store(BackupWriter writer, Map<String, byte[]> content) {
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
                            SampleRepository.facts(each.getKey()), new ByteArrayInputStream(bytes));
                }
            }
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

    /// A collector that claims beside running backups.
    Prune pruneBeside(ObjectStore on, CompactionRule rule, Duration patience) {
        return new Prune(open(on), patience, true, UnneededWal.NONE, rule, _ -> {});
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
