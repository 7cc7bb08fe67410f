package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Verifying one backup: what it needs is found damaged or missing, what it does not need is not
/// looked at.
class OneBackupVerificationTest {
    private final ObjectStore store = MemoryStore.create();
    private final SampleRepository sample = new SampleRepository(1, Optional.empty());
    private final CommittedBackup full;
    private final CommittedBackup incremental;

    OneBackupVerificationTest() throws IOException {
        sample.write(store);
        List<CommittedBackup> backups = source().backups();
        full = backups.getFirst();
        incremental = backups.getLast();
    }

    private ProtectedSource source() {
        return sample.open(store).source("orders").orElseThrow();
    }

    private VerifyReport verify(BackupId backup) {
        return new Verification(
                        sample.open(store),
                        RepositoryCheck.Options.everything().of("orders", backup),
                        Progress.none())
                .run();
    }

    private byte[] bytes(String name) {
        return store.get(name, 0, Math.toIntExact(store.size(name).orElseThrow()));
    }

    private void replace(String name, UnaryOperator<byte[]> change) {
        byte[] bytes = bytes(name);
        store.delete(name);
        store.put(name, ByteBuffer.wrap(change.apply(bytes.clone())));
    }

    private List<StoredObject> objects(String prefix) {
        return List.copyOf(store.list(prefix, "", 10_000).objects());
    }

    @Test
    void whatIsWholeIsFoundWhole() {
        for (CommittedBackup each : List.of(full, incremental)) {
            VerifyReport report = verify(each.id());
            assertThat(report.findings()).isEmpty();
            assertThat(report.ok()).isTrue();
            assertThat(report.backups()).isEqualTo(1);
            assertThat(report.segments()).isEqualTo(1);
            assertThat(report.contents().packsRead()).isPositive();
        }
        assertThat(verify(full.id()).contents().packsRead())
                .as("only its own")
                .isLessThan(objects("packs/").size());
    }

    /// Whatever object is gone: what cannot be restored then is not found well, and what was not
    /// found well names the object.
    @Test
    void whatCannotBeRestoredIsNotFoundWell() {
        int found = 0;
        for (StoredObject object : objects("")) {
            String name = object.name();
            byte[] original = bytes(name);
            store.delete(name);
            for (CommittedBackup backup : List.of(full, incremental)) {
                boolean restorable = isRestorable(backup);
                Optional<VerifyReport> report = report(backup.id());
                if (!restorable) {
                    assertThat(report.filter(VerifyReport::ok)).as(name).isEmpty();
                    found++;
                }
                for (VerifyReport.Finding finding :
                        report.map(VerifyReport::findings).orElse(List.of())) {
                    assertThat(finding.object()).isEqualTo(name);
                    assertThat(finding.backups()).as(name).isSubsetOf(backup.id());
                }
            }
            store.put(name, ByteBuffer.wrap(original));
        }
        assertThat(found).isGreaterThan(5);
    }

    /// Empty where it is refused.
    private Optional<VerifyReport> report(BackupId backup) {
        try {
            return Optional.of(verify(backup));
        } catch (MainstayException refused) {
            return Optional.empty();
        }
    }

    /// Its files, and the log that was written while it was taken.
    private boolean isRestorable(CommittedBackup backup) {
        try {
            Optional<ProtectedSource> known = sample.open(store).source("orders");
            if (known.isEmpty()) {
                return false;
            }
            ProtectedSource source = known.get();
            CommittedBackup there = source.backup(backup.id());
            SampleRepository.restore(source, there);
            BackupDetails details = BackupDetails.read(there.details());
            return source.wal(details.systemId(), 1).get(details.startSegment()).isPresent();
        } catch (MainstayException refused) {
            return false;
        }
    }

    @Test
    void damageOfWhatOnlyAnotherNeedsIsNoneOfIt() {
        replace(
                objects("packs/incremental/").getFirst().name(),
                bytes -> Arrays.copyOf(bytes, bytes.length / 2));
        assertThat(verify(full.id()).ok()).isTrue();
        VerifyReport report = verify(incremental.id());
        assertThat(report.findings())
                .singleElement()
                .satisfies(
                        finding -> {
                            assertThat(finding.code()).isEqualTo(ErrorCode.PACK_TRUNCATED);
                            assertThat(finding.backups()).containsExactly(incremental.id());
                        });
    }

    @Test
    void walOfAnotherTimeIsNotLookedAtAndItsOwnIsRead() {
        String own = wal(BackupDetails.read(incremental.details()).startSegment().fileName());
        String later = objects("wal/").getLast().name();
        assertThat(later).isNotEqualTo(own);
        store.delete(later);
        assertThat(verify(incremental.id()).ok()).isTrue();
        replace(
                own,
                bytes -> {
                    bytes[bytes.length / 2] ^= 1;
                    return bytes;
                });
        assertThat(verify(full.id()).ok()).isTrue();
        assertThat(verify(incremental.id()).findings())
                .singleElement()
                .satisfies(finding -> assertThat(finding.object()).isEqualTo(own));
    }

    private String wal(String file) {
        return objects("wal/").stream()
                .map(StoredObject::name)
                .filter(name -> name.endsWith(file))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aBackupThatIsNotThereIsUnknown() {
        assertThatThrownBy(() -> verify(BackupId.parse("20010101T000000Z-00000000")))
                .extracting("code")
                .isEqualTo(ErrorCode.BACKUP_UNKNOWN);
    }
}
