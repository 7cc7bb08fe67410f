package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Bytes;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/// Whatever byte of a repository changes, verification names the object, and nothing wrong is ever
/// restored. `-Dcorruptions=1000` runs the whole campaign, `-Dseed=N` another one.
class CorruptionTest {
    private static final Credential KEY = new Credential.KeyFile(new byte[32]);

    private ObjectStore store = MemoryStore.create();
    private SampleRepository sample = new SampleRepository(1, Optional.of(KEY));

    @BeforeEach
    void write() throws IOException {
        sample.write(store);
    }

    private VerifyReport verify() {
        return verify(100);
    }

    private VerifyReport verify(double percent) {
        return new Verification(
                        sample.open(store),
                        new RepositoryCheck.Options(Optional.empty(), percent, 1, 2),
                        Progress.none())
                .run();
    }

    private void replace(String name, UnaryOperator<byte[]> change) {
        byte[] bytes = bytes(name);
        store.delete(name);
        store.put(name, ByteBuffer.wrap(change.apply(bytes.clone())));
    }

    private byte[] bytes(String name) {
        return store.get(name, 0, Math.toIntExact(store.size(name).orElseThrow()));
    }

    private List<StoredObject> objects(String prefix) {
        return store.list(prefix, "", 10_000).objects();
    }

    private VerifyReport.Finding only(VerifyReport report) {
        assertThat(report.findings()).hasSize(1);
        return report.findings().getFirst();
    }

    @Test
    void whatIsWholeIsFoundWhole() {
        VerifyReport report = verify();
        assertThat(report.findings()).isEmpty();
        assertThat(report.ok()).isTrue();
        assertThat(report.backups()).isEqualTo(2);
        assertThat(report.segments()).isEqualTo(SampleRepository.SEGMENTS);
        assertThat(report.summariesCompared()).isEqualTo(SampleRepository.SEGMENTS);
        assertThat(report.contents().unknownCount()).isZero();
        assertThat(report.contents().unusedPacks()).isZero();
        assertThat(report.contents().packs()).isEqualTo(report.contents().packsRead());
        assertThat(RepositoryCheck.withoutKey(store)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everyFlippedByteIsFoundAndNothingWrongIsRestored(boolean sealed) throws IOException {
        if (!sealed) {
            store = MemoryStore.create();
            sample = new SampleRepository(2, Optional.empty());
            sample.write(store);
        }
        long seed = Long.getLong("seed", 20261121);
        int corruptions = Integer.getInteger("corruptions", 150) / (sealed ? 1 : 3);
        Random random = new Random(seed);
        List<StoredObject> objects = objects("");
        for (int i = 0; i < corruptions; i++) {
            String name = objects.get(random.nextInt(objects.size())).name();
            byte[] original = bytes(name);
            int at = random.nextInt(original.length);
            byte flip = (byte) (1 << random.nextInt(8));
            replace(
                    name,
                    bytes -> {
                        bytes[at] ^= flip;
                        return bytes;
                    });
            String where = "seed " + seed + ", corruption " + i + ": byte " + at + " of " + name;
            assertFound(where, name);
            assertNothingWrongIsRestored(where);
            replace(name, _ -> original);
        }
        assertThat(verify().ok()).isTrue();
    }

    private void assertFound(String where, String name) {
        assertThat(RepositoryCheck.withoutKey(store).stream().map(Defect::object))
                .as(where)
                .containsExactly(name);
        try {
            assertThat(verify().findings().stream().map(VerifyReport.Finding::object))
                    .as(where)
                    .contains(name);
        } catch (MainstayException refused) {
            assertThat(refused.getMessage()).as(where).contains(name);
        }
    }

    private void assertNothingWrongIsRestored(String where) {
        List<CommittedBackup> backups;
        ProtectedSource source;
        TreeSet<BackupId> ids = new TreeSet<>();
        try {
            Repository repository = sample.open(store);
            source = repository.source("orders").orElseThrow();
            backups = source.backups();
            source.records().damagedBackups().forEach(each -> ids.add(each.backup().orElseThrow()));
        } catch (MainstayException refused) {
            return;
        }
        backups.forEach(backup -> ids.add(backup.id()));
        assertThat(ids).as(where).hasSize(2);
        for (int i = 0; i < backups.size(); i++) {
            Map<String, byte[]> restored;
            try {
                restored = SampleRepository.restore(source, backups.get(i));
            } catch (MainstayException refused) {
                continue;
            }
            Map<String, byte[]> expected =
                    sample.contents().get(ids.headSet(backups.get(i).id()).size());
            assertThat(restored.keySet()).as(where).isEqualTo(expected.keySet());
            restored.forEach(
                    (path, content) ->
                            assertThat(Arrays.equals(content, expected.get(path)))
                                    .as(where + ", file " + path)
                                    .isTrue());
        }
    }

    @Test
    void everyMissingObjectThatIsNeededIsNamed() {
        for (StoredObject object : List.copyOf(objects(""))) {
            String name = object.name();
            byte[] original = bytes(name);
            store.delete(name);
            boolean needed =
                    !name.startsWith("index/")
                            && !name.startsWith("parts/")
                            && !name.startsWith("summaries/")
                            && !name.endsWith(".history")
                            && !name.endsWith("000000010000000000000008");
            try {
                List<VerifyReport.Finding> findings = verify().findings();
                if (needed && name.startsWith("keys/source/")) {
                    assertThat(findings)
                            .allMatch(finding -> finding.code() == ErrorCode.KEY_MISSING)
                            .isNotEmpty();
                } else if (needed) {
                    assertThat(findings.stream().map(VerifyReport.Finding::object))
                            .containsExactly(name);
                }
            } catch (MainstayException refused) {
                assertThat(name).matches("format|keys/root/.*");
            }
            store.put(name, ByteBuffer.wrap(original));
        }
    }

    @Test
    void aVanishedBackupIsNamedByTheChain() {
        String slot = objects("slots/").getFirst().name();
        store.delete(slot);
        VerifyReport.Finding finding = only(verify());
        assertThat(finding.object()).isEqualTo(slot);
        assertThat(finding.code()).isEqualTo(ErrorCode.CHAIN_BROKEN);
        assertThat(finding.backups()).hasSize(1);
    }

    @Test
    void theNewestBackupVanishesNotUnnoticedOnceWalFollowedIt() throws IOException {
        ProtectedSource source = sample.open(store).source("orders").orElseThrow();
        CommittedBackup newest = sample.backUpAgain(source);
        String slot = "slots/" + source.id() + "/" + newest.id();
        byte[] original = bytes(slot);
        store.delete(slot);
        assertThat(verify().ok()).as("nobody knew it yet").isTrue();
        store.put(slot, ByteBuffer.wrap(original));
        SampleRepository.moreWal(source);
        assertThat(verify().findings()).isEmpty();
        store.delete(slot);
        VerifyReport.Finding finding = only(verify());
        assertThat(finding.object()).isEqualTo(slot);
        assertThat(finding.code()).isEqualTo(ErrorCode.CHAIN_BROKEN);
        assertThat(finding.backups()).containsExactly(newest.id());
        store.put(slot, ByteBuffer.wrap(original));
        replace(slot, bytes -> Arrays.copyOf(bytes, 120));
        assertThat(only(verify()).object()).isEqualTo(slot);
    }

    @Test
    void aRecordThatWasExpiredIsNotMissed() throws IOException {
        ProtectedSource source = sample.open(store).source("orders").orElseThrow();
        String record = objects("records/").getLast().name();
        source.records()
                .append(
                        "expiry",
                        Json.object()
                                .put(
                                        "removed",
                                        List.of(
                                                Json.object()
                                                        .put("object", record)
                                                        .put("sha256", sha256(bytes(record))))));
        store.delete(record);
        assertThat(verify().findings()).isEmpty();
    }

    private static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(Bytes.sha256(bytes, 0, bytes.length));
    }

    @Test
    void aDamagedPackCostsTheBackupsThatNeedItsFrames() {
        CommittedBackup full =
                sample.open(store).source("orders").orElseThrow().backups().getFirst();
        String pack = objects("packs/incremental/").getFirst().name();
        replace(pack, bytes -> Arrays.copyOf(bytes, bytes.length / 2));
        VerifyReport.Finding finding = only(verify());
        assertThat(finding.object()).isEqualTo(pack);
        assertThat(finding.code()).isEqualTo(ErrorCode.PACK_TRUNCATED);
        assertThat(finding.backups()).hasSize(1).doesNotContain(full.id());
        assertThat(finding.lost()).as("the full backup reaches the same points").isEmpty();
        String base = objects("packs/base/").getFirst().name();
        store.delete(base);
        VerifyReport.Finding missing =
                verify().findings().stream()
                        .filter(each -> each.object().equals(base))
                        .findFirst()
                        .orElseThrow();
        assertThat(missing.code()).isEqualTo(ErrorCode.STORE_OBJECT_MISSING);
        assertThat(missing.backups()).contains(full.id());
        assertThat(missing.lost()).isNotEmpty();
    }

    @Test
    void aForgedDirectoryIsNoDirectory() {
        String pack = objects("packs/base/").getFirst().name();
        replace(
                pack,
                bytes -> {
                    bytes[bytes.length - 16 - 20]++;
                    return bytes;
                });
        VerifyReport.Finding finding = only(verify());
        assertThat(finding.object()).isEqualTo(pack);
        assertThat(finding.code()).isEqualTo(ErrorCode.PACK_FORGED);
        assertThat(finding.backups()).as("its frames can be read").isEmpty();
    }

    @Test
    void aGapInTheLogIsNamedWithTheWindowItCosts() {
        List<StoredObject> segments = objects("wal/");
        String gone = segments.get(4).name();
        byte[] original = bytes(gone);
        store.delete(gone);
        VerifyReport.Finding finding = only(verify());
        assertThat(finding.object()).isEqualTo(gone);
        assertThat(finding.code()).isEqualTo(ErrorCode.WAL_GAP);
        assertThat(finding.backups()).isEmpty();
        assertThat(finding.lost().toString())
                .isEqualTo("[orders timeline 1 from 0/700000 to 0/900000]");
        store.put(gone, ByteBuffer.wrap(original));
        store.delete(segments.get(3).name());
        assertThat(only(verify()).backups())
                .as("a backup needs the log that was written while it was taken")
                .hasSize(1);
    }

    @Test
    void everyRefusalHasItsNumber() {
        assertThatThrownBy(
                        () ->
                                Repository.open(
                                        store,
                                        Optional.of(new Credential.KeyFile(new byte[] {1})),
                                        dev.mainstay.repository.Ground.ofThisHost()))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_WRONG);
        byte[] format = bytes("format");
        replace("format", bytes -> set(bytes, 8, 2));
        assertCode(ErrorCode.REPOSITORY_NEWER);
        replace("format", bytes -> set(format, 0, 'X'));
        assertCode(ErrorCode.REPOSITORY_FOREIGN);
        store.delete("format");
        assertCode(ErrorCode.REPOSITORY_FOREIGN);
        store.put("format", ByteBuffer.wrap(format));
        String key = objects("keys/root/").getFirst().name();
        replace(key, bytes -> set(bytes, 150, bytes[150] + 1));
        assertCode(ErrorCode.KEY_OBJECT_DAMAGED);
    }

    private static byte[] set(byte[] bytes, int at, int value) {
        byte[] changed = bytes.clone();
        changed[at] = (byte) value;
        return changed;
    }

    private void assertCode(ErrorCode code) {
        assertThatThrownBy(() -> sample.open(store)).extracting("code").isEqualTo(code);
    }

    @Test
    void aRepositoryThatClaimsToHaveNoKeyIsRefusedByWhoHasOne() throws IOException {
        ObjectStore open = MemoryStore.create();
        new SampleRepository(3, Optional.empty()).write(open);
        assertThatThrownBy(() -> sample.open(open))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_UNEXPECTED);
    }

    @Test
    void foreignFilesAreTold() {
        store.put("lost-and-found.txt", ByteBuffer.wrap(new byte[3]));
        VerifyReport report = verify();
        assertThat(report.ok()).isTrue();
        assertThat(report.contents().unknownObjects()).containsExactly("lost-and-found.txt");
    }

    @Test
    void aSampleReadsFewerPacks() {
        VerifyReport report = verify(0);
        assertThat(report.ok()).isTrue();
        assertThat(report.contents().packsRead())
                .as("metadata only")
                .isEqualTo(objects("packs/metadata/").size());
        List<String> names = new ArrayList<>();
        objects("packs/").forEach(object -> names.add(object.name()));
        assertThat(report.contents().packs()).isEqualTo(names.size());
    }
}
