package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.Optional;
import java.util.Random;

/// A pack ends before its directory outgrows a frame, as that of a pack of very many tiny frames
/// would; long paths stand for many frames here.
class LargeDirectoryTest {
    private static final int BLOCK = 1024;
    private static final int FILES = 20;

    @Test
    void aPackEndsBeforeItsDirectoryOutgrowsAFrame() {
        Ground ground = new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(1));
        Repository repository = Repository.create(MemoryStore.create(), Optional.empty(), ground);
        ProtectedSource source = repository.sourceOrAdd("orders");
        BackupOptions options =
                new BackupOptions(
                        "full",
                        Optional.empty(),
                        1,
                        ByteSize.mib(256),
                        BackupOptions.FrameShape.standard(),
                        0);
        try (BackupWriter writer = source.newBackup(options)) {
            writer.blockSize(BLOCK);
            try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                for (int i = 0; i < FILES; i++) {
                    String path = "base/5/" + i + "x".repeat(1 << 20);
                    worker.pagedFile(
                            new FileFacts(path, 0600, "", "", 1), 1, (_, pages, _) -> pages);
                }
            }
            assertThat(writer.commit(Json.object()).statistics().number("files")).isEqualTo(FILES);
        }
        RepositoryCheck.Result result =
                new RepositoryCheck(repository, RepositoryCheck.Options.everything(), _ -> {})
                        .run();
        assertThat(result.defects()).isEmpty();
        assertThat(result.backups().values().iterator().next()).hasSize(1);
    }
}
