package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;

/// A slot or record that is damaged costs what it says and nothing else: the other backups restore,
/// new ones are taken, and it is named until it is repaired.
class DamagedRecordTest {
    enum Damage {
        FLIPPED,
        SHORT,
        EMPTY,
        FOREIGN;

        byte[] change(byte[] bytes) {
            return switch (this) {
                case FLIPPED -> {
                    bytes[bytes.length / 2] ^= 4;
                    yield bytes;
                }
                case SHORT -> Arrays.copyOf(bytes, bytes.length / 2);
                case EMPTY -> new byte[0];
                case FOREIGN -> new byte[bytes.length];
            };
        }
    }

    private final ObjectStore store = MemoryStore.create();
    private final long[] seconds = {0};
    private final Ground ground =
            new Ground(
                    () -> Instant.parse("2026-11-21T04:15:00Z").plusSeconds(seconds[0]++),
                    new Random(1));
    private final Repository repository =
            Repository.create(store, Optional.of(new Credential.KeyFile(new byte[32])), ground);
    private final ProtectedSource source = repository.sourceOrAdd("orders");
    private final Map<BackupId, byte[]> contents = new LinkedHashMap<>();

    @BeforeEach
    void threeBackupsAndTwoOtherRecords() throws IOException {
        CommittedBackup first = backUp();
        source.records().append("hold", Json.object().put("backup", first.id().text()));
        backUp();
        source.records().append("verification", Json.object().put("ok", true));
        backUp();
    }

    private CommittedBackup backUp() throws IOException {
        byte[] content = new byte[3000];
        new Random(contents.size()).nextBytes(content);
        try (BackupWriter writer = source.newBackup(BackupOptions.full(1))) {
            writer.blockSize(8192);
            writer.file(
                    new FileFacts("PG_VERSION", 0600, "", "", 1),
                    new ByteArrayInputStream(content));
            CommittedBackup backup = writer.commit(Json.object());
            contents.put(backup.id(), content);
            return backup;
        }
    }

    private List<String> names() {
        List<String> names = new ArrayList<>();
        for (String prefix : List.of("slots/", "records/")) {
            store.list(prefix, "", 100).objects().stream()
                    .map(StoredObject::name)
                    .forEach(names::add);
        }
        return names;
    }

    private byte[] replace(String name, UnaryOperator<byte[]> change) {
        byte[] original = store.get(name, 0, Math.toIntExact(store.size(name).orElseThrow()));
        store.delete(name);
        store.put(name, ByteBuffer.wrap(change.apply(original.clone())));
        return original;
    }

    private void assertRestores(CommittedBackup backup) {
        try (BackupReader reader = source.read(backup);
                PackReader packs = reader.newPackReader()) {
            List<ManifestEntry> entries = new ArrayList<>();
            reader.entries(entries::add);
            Content.Chunked chunked = (Content.Chunked) entries.getFirst().content();
            assertThat(packs.read(chunked.chunks().getFirst().frame()).toBytes())
                    .isEqualTo(contents.get(backup.id()));
        }
    }

    private List<Defect> defects() {
        return new RepositoryCheck(repository, RepositoryCheck.Options.everything(), _ -> {})
                .run()
                .defects();
    }

    @ParameterizedTest
    @EnumSource(Damage.class)
    void everyOtherBackupRestoresAndTheDamagedRecordIsNamed(Damage damage) {
        assertThat(names()).hasSize(5);
        for (String name : names()) {
            byte[] original = replace(name, damage::change);
            Optional<BackupId> lost = Names.backupOfSlot(name);
            RecordChain chain = source.records();
            assertThat(chain.damaged()).extracting(DamagedRecord::object).containsExactly(name);
            assertThat(chain.damaged().getFirst().backup()).isEqualTo(lost);
            assertThat(source.backups())
                    .extracting(CommittedBackup::id)
                    .containsExactlyElementsOf(
                            contents.keySet().stream()
                                    .filter(id -> !Optional.of(id).equals(lost))
                                    .toList());
            source.backups().forEach(this::assertRestores);
            assertThat(defects()).extracting(Defect::object).containsExactly(name);
            assertThat(defects().getFirst().backups())
                    .isEqualTo(lost.stream().collect(java.util.stream.Collectors.toSet()));
            lost.ifPresent(
                    id ->
                            assertThatThrownBy(() -> source.backup(id))
                                    .hasMessageContaining(name)
                                    .extracting("code")
                                    .isEqualTo(chain.damaged().getFirst().code()));
            replace(name, _ -> original);
        }
        assertThat(defects()).isEmpty();
    }

    @Test
    void aBackupIsTakenBesideADamagedRecordAndComesAfterIt() throws IOException {
        for (String name : names()) {
            byte[] original = replace(name, Damage.FLIPPED::change);
            CommittedBackup next = backUp();
            RecordChain chain = source.records();
            assertThat(chain.backups().getLast().id()).isEqualTo(next.id());
            assertThat(defects()).extracting(Defect::object).containsExactly(name);
            replace(name, _ -> original);
            assertThat(source.backups().getLast().id())
                    .as("newest once %s is repaired", name)
                    .isEqualTo(next.id());
            assertThat(source.backups())
                    .extracting(CommittedBackup::sequence)
                    .doesNotHaveDuplicates();
            assertThat(source.records().missing()).isEmpty();
            assertThat(defects()).isEmpty();
        }
    }

    @Test
    void aDamagedRecordThatIsDeletedAfterwardsIsMissed() throws IOException {
        String newest = Names.slot(source.id(), source.backups().getLast().id());
        replace(newest, Damage.SHORT::change);
        backUp();
        store.delete(newest);
        assertThat(source.records().missing())
                .extracting(RecordChain.Missing::object)
                .containsExactly(newest);
        assertThat(defects())
                .singleElement()
                .satisfies(defect -> assertThat(defect.object()).isEqualTo(newest))
                .extracting(Defect::code)
                .isEqualTo(ErrorCode.CHAIN_BROKEN);
    }

    @Test
    void aCommitRecordThatOpensToNonsenseCostsOnlyItself() {
        String name = names().getFirst();
        BackupId id = Names.backupOfSlot(name).orElseThrow();
        replace(
                name,
                _ ->
                        source.vault()
                                .sealJson(
                                        dev.mainstay.repository.format.ObjectType.SLOT,
                                        Json.object()
                                                .put("type", "commit")
                                                .put("object", name)
                                                .put("sequence", 1)
                                                .put("heads", List.<Json>of())
                                                .put("backup", id.text())
                                                .put("backup-type", "full")
                                                .put("begin", "yesterday")));
        assertThat(source.backups()).hasSize(2);
        assertThat(source.records().damaged())
                .singleElement()
                .satisfies(each -> assertThat(each.code()).isEqualTo(ErrorCode.OBJECT_DAMAGED));
    }

    @Test
    void theDamagedKeyOfOneSourceIsNothingToAnother() {
        List<ProtectedSource> others = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            others.add(repository.sourceOrAdd("other " + i));
        }
        for (ProtectedSource other : others) {
            String key = "keys/source/" + other.id() + "/00000001";
            byte[] original = replace(key, Damage.FLIPPED::change);
            assertThat(repository.source("orders")).contains(source);
            source.backups().forEach(this::assertRestores);
            for (String name : List.of(other.name(), "a new one")) {
                assertThatThrownBy(() -> repository.sourceOrAdd(name)).hasMessageContaining(key);
            }
            List<String> damaged = new ArrayList<>();
            assertThat(repository.sources((object, _) -> damaged.add(object))).hasSize(6);
            assertThat(damaged).containsExactly(key);
            replace(key, _ -> original);
        }
        assertThat(repository.sources()).hasSize(7);
    }

    @Test
    void anUnknownBackupIsUnknown() {
        RecordChain chain = source.records();
        assertThat(chain.damaged()).isEmpty();
        BackupId unknown = BackupId.parse("20200101T000000Z-00000000");
        assertThatThrownBy(() -> source.backup(unknown))
                .isInstanceOf(MainstayException.class)
                .extracting("code")
                .isEqualTo(ErrorCode.BACKUP_UNKNOWN);
    }
}
