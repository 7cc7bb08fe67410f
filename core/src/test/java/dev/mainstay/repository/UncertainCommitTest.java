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
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// A commit whose outcome the writer does not learn: it happened or it did not, and either way
/// nothing that a backup needs is deleted.
class UncertainCommitTest {
    /// Loses the answer to the next put of a slot, before or after it happened.
    private static final class Forgetful extends ForwardingStore {
        private Optional<Boolean> losesAfterPut = Optional.empty();

        Forgetful() {
            super(MemoryStore.create());
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            if (!name.startsWith("slots/") || losesAfterPut.isEmpty()) {
                return inner.put(name, content);
            }
            boolean happens = losesAfterPut.get();
            losesAfterPut = Optional.empty();
            if (happens) {
                inner.put(name, content);
            }
            throw new MainstayException(ErrorCode.STORE_UNAVAILABLE, "no answer");
        }
    }

    private static final byte[] CONTENT = new byte[5000];

    private final Forgetful store = new Forgetful();
    private final Ground ground =
            new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(1));
    private final ProtectedSource source =
            Repository.create(store, Optional.of(new Credential.KeyFile(new byte[32])), ground)
                    .sourceOrAdd("orders");

    private Optional<BackupId> begun = Optional.empty();

    private void backUp() throws IOException {
        try (BackupWriter writer = source.newBackup(BackupOptions.full(3))) {
            begun = Optional.of(writer.id());
            writer.blockSize(8192);
            writer.file(
                    new FileFacts("PG_VERSION", 0600, "", "", 1),
                    new ByteArrayInputStream(CONTENT));
            try {
                writer.commit(Json.object());
            } catch (MainstayException failed) {
                writer.abort();
                throw failed;
            }
        }
    }

    private void assertReadable(int backups) {
        List<CommittedBackup> committed = source.backups();
        assertThat(committed).hasSize(backups);
        for (CommittedBackup backup : committed) {
            try (BackupReader reader = source.read(backup);
                    PackReader packs = reader.newPackReader()) {
                List<ManifestEntry> entries = new ArrayList<>();
                reader.entries(entries::add);
                Content.Chunked chunked = (Content.Chunked) entries.getFirst().content();
                assertThat(packs.read(chunked.chunks().getFirst().frame()).toBytes())
                        .isEqualTo(CONTENT);
            }
        }
    }

    @Test
    void aCommitThatHappenedStandsThoughItsWriterGaveUp() throws IOException {
        store.losesAfterPut = Optional.of(true);
        assertThatThrownBy(this::backUp).hasMessage("no answer");
        assertReadable(1);
        backUp();
        assertReadable(2);
    }

    @Test
    void aCommitThatDidNotHappenLeavesNothingThatALaterBackupCouldTrust() throws IOException {
        store.losesAfterPut = Optional.of(false);
        assertThatThrownBy(this::backUp).hasMessage("no answer");
        assertThat(source.backups()).isEmpty();
        assertThat(store.list("packs/", "", 10).objects()).isEmpty();
        assertThat(store.list("index/", "", 10).objects()).isEmpty();
        backUp();
        assertReadable(1);
        assertThat(source.records().missing()).isEmpty();
    }

    @Test
    void whetherABackupExistsIsDecidedOnceForAll() throws IOException {
        store.losesAfterPut = Optional.of(true);
        assertThatThrownBy(this::backUp).hasMessage("no answer");
        assertThat(source.settle(begun.orElseThrow()).map(CommittedBackup::id)).isEqualTo(begun);
        store.losesAfterPut = Optional.of(false);
        assertThatThrownBy(this::backUp).hasMessage("no answer");
        assertThat(source.settle(begun.orElseThrow())).isEmpty();
        try (BackupWriter late = source.newBackup(BackupOptions.full(3))) {
            late.blockSize(8192);
            assertThat(source.settle(late.id())).isEmpty();
            assertThat(source.settle(late.id())).isEmpty();
            assertThatThrownBy(() -> late.commit(Json.object()))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            over -> assertThat(over.code()).isEqualTo(ErrorCode.BACKUP_ABORTED));
        }
        assertReadable(1);
    }
}
