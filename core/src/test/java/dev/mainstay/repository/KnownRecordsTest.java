package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Whatever happens to records, what is known of them by looking again and again is what who reads
/// them all is told.
class KnownRecordsTest {
    private final MeteredStore store = MeteredStore.of(MemoryStore.create());
    private final long[] seconds = {0};
    private final Ground ground =
            new Ground(
                    () -> Instant.parse("2026-11-21T04:15:00Z").plusSeconds(seconds[0]++),
                    new Random(1));
    private final Repository repository =
            Repository.create(store, Optional.of(new Credential.KeyFile(new byte[32])), ground);
    private final ProtectedSource source = repository.sourceOrAdd("orders");
    private final KnownRecords<BackupId> known = new KnownRecords<>(CommittedBackup::id);
    private final Map<String, byte[]> originals = new HashMap<>();

    private void backUp() throws IOException {
        try (BackupWriter writer = source.newBackup(BackupOptions.full(1))) {
            writer.blockSize(8192);
            writer.file(
                    new FileFacts("PG_VERSION", 0600, "", "", 1),
                    new ByteArrayInputStream(new byte[] {1}));
            writer.commit(Json.object());
        }
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        for (String prefix : List.of("slots/", "records/")) {
            store.list(prefix, "", 1000).objects().stream()
                    .map(StoredObject::name)
                    .forEach(names::add);
        }
        return names;
    }

    private byte[] get(String name) {
        return store.get(name, 0, Math.toIntExact(store.size(name).orElseThrow()));
    }

    private void replace(String name, byte[] bytes) {
        store.delete(name);
        store.put(name, ByteBuffer.wrap(bytes));
    }

    private void happens(Random random) throws IOException {
        List<BackupId> backups =
                source.records().backups().stream().map(CommittedBackup::id).toList();
        Optional<BackupId> one =
                backups.isEmpty()
                        ? Optional.empty()
                        : Optional.of(backups.get(random.nextInt(backups.size())));
        List<String> names = names();
        switch (random.nextInt(7)) {
            case 0 -> one.ifPresent(id -> source.hold(id, "audit"));
            case 1 ->
                    one.filter(source.records().holds()::containsKey)
                            .ifPresent(id -> source.release(id));
            case 2 ->
                    one.ifPresent(id -> source.expire(source.records(), Map.of(id, "old"), "none"));
            case 3 -> source.records().append("verification", Json.object().put("ok", true));
            case 4 -> { // cut off
                if (!names.isEmpty()) {
                    String name = names.get(random.nextInt(names.size()));
                    byte[] bytes = get(name);
                    if (bytes.length > 10) {
                        originals.putIfAbsent(name, bytes);
                        replace(name, Arrays.copyOf(bytes, 10));
                    }
                }
            }
            case 5 -> { // repaired
                originals.forEach(
                        (name, bytes) -> {
                            if (store.size(name).isPresent()) {
                                replace(name, bytes);
                            }
                        });
                originals.clear();
            }
            default -> backUp();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void isWhatAChainTells(long seed) throws IOException {
        Random random = new Random(seed);
        for (int step = 0; step < 40; step++) {
            RecordChain earlier = source.records();
            happens(random);
            KnownRecords.Known<BackupId> now =
                    random.nextBoolean() ? known.read(source) : known.read(source, earlier);
            RecordChain chain = source.records();
            assertThat(now.backups())
                    .as("seed %d, step %d", seed, step)
                    .isEqualTo(chain.backups().stream().map(CommittedBackup::id).toList());
            assertThat(now.holds()).isEqualTo(chain.holds());
            assertThat(now.damaged()).containsExactlyInAnyOrderElementsOf(chain.damaged());
            assertThat(now.tag()).isEqualTo(source.recordsTag());
        }
    }

    @Test
    void whatWasReadIsNotReadAgain() throws IOException {
        for (int i = 0; i < 5; i++) {
            backUp();
        }
        KnownRecords.Known<BackupId> first = known.read(source);
        long gets = store.counts().gets();
        assertThat(known.read(source)).isSameAs(first);
        assertThat(store.counts().gets()).isEqualTo(gets);
        source.hold(first.backups().getFirst(), "audit");
        gets = store.counts().gets();
        assertThat(known.read(source).holds()).containsOnlyKeys(first.backups().getFirst());
        assertThat(store.counts().gets()).isEqualTo(gets + 1);
    }

    @Test
    void whatSomebodyElseHasReadIsNotReadAgain() throws IOException {
        for (int i = 0; i < 5; i++) {
            backUp();
        }
        RecordChain chain = source.records();
        backUp();
        long gets = store.counts().gets();
        assertThat(known.read(source, chain).backups()).hasSize(6);
        assertThat(store.counts().gets()).isEqualTo(gets + 1);
    }

    @Test
    void whatIsRepairedWithoutChangingItsNameAndSizeIsKnownAgain() throws IOException {
        backUp();
        String name = names().getFirst();
        byte[] bytes = get(name);
        byte[] flipped = bytes.clone();
        flipped[bytes.length / 2] ^= 4;
        replace(name, flipped);
        assertThat(known.read(source).damagedBackups()).hasSize(1);
        replace(name, bytes);
        assertThat(known.read(source).damaged()).isEmpty();
        assertThat(known.read(source).backups()).hasSize(1);
    }
}
