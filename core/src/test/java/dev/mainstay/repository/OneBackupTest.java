package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;

import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is asked of one backup costs as much as that, however many there are.
class OneBackupTest {
    private static final int MANY = 20;

    private final MeteredStore store = MeteredStore.of(MemoryStore.create());
    private final ProtectedSource source =
            Repository.create(store, Optional.empty(), Ground.ofThisHost()).sourceOrAdd("orders");

    private BackupId backup() {
        try (BackupWriter writer = source.newBackup(BackupOptions.full(1))) {
            writer.blockSize(8192);
            return writer.commit(Json.object()).id();
        }
    }

    @Test
    void itIsFoundHeldAndGoneWithoutReadingTheOthers() {
        List<BackupId> ids = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            ids.add(backup());
        }
        BackupId one = ids.get(3);
        source.hold(one, "the auditors asked");
        long before = store.counts().gets();
        RecordChain about = source.about(one);
        assertThat(source.backup(one, about).id()).isEqualTo(one);
        assertThat(about.holds().get(one)).extracting(Hold::reason).isEqualTo("the auditors asked");
        assertThat(store.counts().gets() - before).as("a slot and a hold").isEqualTo(2);
        BackupId other = ids.get(4);
        source.expire(source.records(), Map.of(other, "too old", one, "too old"), "keep nothing");
        assertThatThrownBy(() -> source.backup(other)).isInstanceOf(MainstayException.class);
        assertThat(source.backup(one).id()).as("it is held").isEqualTo(one);
        assertThat(source.backups()).hasSize(MANY - 1);
    }
}
