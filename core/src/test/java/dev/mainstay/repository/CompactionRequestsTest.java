package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// A pack is compacted with some requests, however many frames are in it.
class CompactionRequestsTest {
    private static final int FILES = 4000;
    private static final int BYTES = 1024;

    private final MeteredStore store = MeteredStore.of(MemoryStore.create());
    private final Repository repository =
            Repository.create(
                    store, Optional.of(new Credential.KeyFile(new byte[32])), Ground.ofThisHost());
    private final ProtectedSource source = repository.sourceOrAdd("files");

    /// Every n-th file, each of them one chunk.
    private BackupId backUp(int every) throws IOException {
        BackupOptions usual = BackupOptions.full(1);
        BackupOptions options =
                new BackupOptions(
                        "full",
                        Optional.empty(),
                        1,
                        ByteSize.mib(1),
                        usual.shape(),
                        usual.refreshBudgetPages());
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(8192);
            for (int file = 0; file < FILES; file += every) {
                byte[] content = new byte[BYTES];
                new Random(file).nextBytes(content);
                writer.file(
                        new FileFacts("f" + file, 0600, "", "", 1),
                        new ByteArrayInputStream(content));
            }
            return writer.commit(Json.object()).id();
        }
    }

    @Test
    void smallFramesAmongGarbageAreReadTogether() throws IOException {
        BackupId first = backUp(1);
        backUp(3);
        source.expire(source.records(), Map.of(first, "a test"), "a test");
        CompactionRule half =
                new CompactionRule(
                        50, ByteSize.of(0), Duration.ZERO, ByteSize.mib(64), ByteSize.mib(1));
        MeteredStore.Counts before = store.counts();
        Prune.Report done =
                new Prune(repository, Duration.ofDays(7), false, UnneededWal.NONE, half, _ -> {})
                        .run();
        MeteredStore.Counts counts = store.counts().minus(before);
        long packs = done.compacted().packs().count();
        assertThat(packs).isGreaterThan(2);
        assertThat(done.removed().count()).isGreaterThanOrEqualTo(packs);
        assertThat(counts.gets())
                .as("%s for %d packs of about a thousand frames", counts, packs)
                .isLessThan(10 * packs + 20);
        RepositoryCheck.Options all = new RepositoryCheck.Options(Optional.empty(), 100, 1, 2);
        assertThat(new RepositoryCheck(repository, all, _ -> {}).run().defects()).isEmpty();
    }
}
