package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/// Records that are read several at a time tell what they told one by one, also while some of them
/// go.
@Timeout(60)
class RecordsAtOnceTest {
    /// Runs something once, after the records were listed.
    private static final class BetweenListAndRead extends ForwardingStore {
        private Optional<Runnable> meanwhile = Optional.empty();

        BetweenListAndRead(ObjectStore inner) {
            super(inner);
        }

        @Override
        public ListPage list(String prefix, String after, int limit) {
            ListPage page = super.list(prefix, after, limit);
            if (prefix.startsWith("records/")) {
                Optional<Runnable> now = meanwhile;
                meanwhile = Optional.empty();
                now.ifPresent(Runnable::run);
            }
            return page;
        }
    }

    private final ObjectStore objects = MemoryStore.create();
    private final BetweenListAndRead store = new BetweenListAndRead(objects);

    private static Ground ground(Executor beside) {
        return new Ground(
                () -> Instant.parse("2026-11-21T04:15:00Z"), new Random(System.nanoTime()), beside);
    }

    private static BackupId backup(ProtectedSource source) {
        try (BackupWriter writer = source.newBackup(BackupOptions.full(1))) {
            writer.blockSize(8192);
            return writer.commit(Json.object()).id();
        }
    }

    /// The record of the expiry is not among those that were listed, and the slot is gone when it
    /// is to be read.
    @Test
    void aBackupThatExpiresBetweenListAndReadDidNotVanish() {
        ProtectedSource other =
                Repository.create(objects, Optional.empty(), Ground.ofThisHost())
                        .sourceOrAdd("orders");
        BackupId old = backup(other);
        BackupId young = backup(other);
        ProtectedSource reader =
                Repository.open(store, Optional.empty(), ground(Runnable::run))
                        .requireSource("orders");
        store.meanwhile =
                Optional.of(
                        () -> other.expire(other.records(), Map.of(old, "too old"), "keep one"));
        RecordChain chain = reader.records();
        assertThat(store.meanwhile).isEmpty();
        assertThat(chain.missing()).isEmpty();
        assertThat(chain.backups()).extracting(CommittedBackup::id).containsExactly(young);
    }

    @Test
    void whatVanishedIsMissedAndWhatIsDamagedIsTold() {
        ProtectedSource source =
                Repository.create(objects, Optional.empty(), Ground.ofThisHost())
                        .sourceOrAdd("orders");
        BackupId first = backup(source);
        BackupId second = backup(source);
        BackupId third = backup(source);
        objects.delete(Names.slot(source.id(), first));
        String name = Names.slot(source.id(), second);
        byte[] slot = objects.whole(name).orElseThrow();
        slot[slot.length / 2] ^= 1;
        objects.replace(name, java.nio.ByteBuffer.wrap(slot));
        RecordChain chain = source.records();
        assertThat(chain.backups()).extracting(CommittedBackup::id).containsExactly(third);
        assertThat(chain.damaged()).extracting(DamagedRecord::object).containsExactly(name);
    }

    @Test
    void whatCannotBeAskedIsNotTakenForAbsent() {
        ProtectedSource source =
                Repository.create(objects, Optional.empty(), Ground.ofThisHost())
                        .sourceOrAdd("orders");
        BackupId _ = backup(source);
        BackupId last = backup(source);
        ObjectStore away =
                new ForwardingStore(objects) {
                    @Override
                    public Optional<byte[]> whole(String name) {
                        if (name.equals(Names.slot(source.id(), last))) {
                            throw new MainstayException(ErrorCode.STORE_UNAVAILABLE, "away");
                        }
                        return super.whole(name);
                    }
                };
        ProtectedSource reader =
                Repository.open(away, Optional.empty(), Ground.ofThisHost())
                        .requireSource("orders");
        assertThatThrownBy(reader::records)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed -> assertThat(failed.code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE));
    }

    @Test
    void slotsAreAskedForBeforeTheFirstIsAnswered() {
        ProtectedSource source =
                Repository.create(objects, Optional.empty(), Ground.ofThisHost())
                        .sourceOrAdd("orders");
        for (int i = 0; i < 8; i++) {
            BackupId _ = backup(source);
        }
        CountDownLatch asked = new CountDownLatch(8);
        ObjectStore slow =
                new ForwardingStore(objects) {
                    @Override
                    public Optional<byte[]> whole(String name) {
                        if (name.startsWith("slots/")) {
                            asked.countDown();
                            try {
                                assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
                            } catch (InterruptedException stopped) {
                                Thread.currentThread().interrupt();
                            }
                        }
                        return super.whole(name);
                    }
                };
        ProtectedSource reader =
                Repository.open(slow, Optional.empty(), Ground.ofThisHost())
                        .requireSource("orders");
        assertThat(reader.backups()).hasSize(8);
    }
}
