package dev.mainstay.engine.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;

/// What `usage` says of the growth is what the store grew by.
class GrowthTest {
    private static final Instant BEGIN = Instant.parse("2026-10-01T00:00:00Z");

    private Instant now = BEGIN;
    private final ObjectStore store = MemoryStore.create();
    private final Random random = new Random(1);
    private final Repository repository =
            Repository.create(
                    store,
                    Optional.of(new Credential.KeyFile(new byte[32])),
                    new Ground(() -> now, random));

    private long packBytes() {
        return store.list("packs/", "", 10_000).objects().stream()
                .mapToLong(StoredObject::sizeBytes)
                .sum();
    }

    private void backUp(int number, int bytes) throws IOException {
        byte[] content = new byte[bytes];
        random.nextBytes(content);
        try (BackupWriter writer =
                repository.sourceOrAdd("orders").newBackup(BackupOptions.full(1))) {
            writer.blockSize(8192);
            writer.file(
                    new FileFacts("f" + number, 0600, "", "", 1),
                    new ByteArrayInputStream(content));
            writer.commit(Json.object());
        }
    }

    @Test
    void growthIsWhatBackupsOfTheLastFourWeeksPutAWeek() throws IOException {
        backUp(0, 3_000_000);
        now = BEGIN.plus(Duration.ofDays(30));
        backUp(1, 500_000);
        long first = packBytes();
        now = BEGIN.plus(Duration.ofDays(44));
        backUp(2, 800_000);
        long grown = packBytes() - first;
        RepositoryUsage usage = RepositoryUsage.read(repository, now);
        long weekly = usage.weeklyBytes().orElseThrow();
        assertThat(grown).isGreaterThan(800_000);
        assertThat(weekly).as("in two weeks").isCloseTo(grown / 2, within(1L));
        assertThat(usage.untilFull(usage.total().bytes() + weekly)).hasValue(Duration.ofDays(7));
        assertThat(RepositoryUsage.read(repository, now.plus(Duration.ofDays(60))).weeklyBytes())
                .as("nothing of late tells")
                .isEmpty();
    }
}
