package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;

/// A receiver and a backup that are started together on a new repository both add the source.
class SameSourceAtOnceTest {
    private static final Optional<Credential> KEY =
            Optional.of(new Credential.KeyFile(new byte[32]));

    @Test
    void whatEachOfTwoStoresWhoAddTheSameSourceAtOnceTheOtherCanRead() {
        for (long seed = 1; seed <= 20; seed++) {
            assertShared(seed, KEY);
            assertShared(seed, Optional.empty());
        }
    }

    private static void assertShared(long seed, Optional<Credential> key) {
        Interrupted store = new Interrupted();
        Repository one = Repository.create(store, key, ground(seed));
        Repository other = Repository.open(store.inner, key, ground(seed + 1000));
        store.meanwhile = () -> other.sourceOrAdd("orders");
        ProtectedSource first = one.sourceOrAdd("orders");
        ProtectedSource second = other.sourceOrAdd("orders");
        assertThat(first.id()).as("seed %d", seed).isEqualTo(second.id());
        WalSegment segment = new WalSegment(TimelineId.of(1), 7, 1 << 20);
        byte[] content = new byte[1 << 20];
        new Random(seed).nextBytes(content);
        SystemId system = SystemId.of(7_300_000_000_000_000_001L);
        first.wal(system, 1).put(segment, content);
        assertThat(second.wal(system, 1).get(segment)).as("seed %d", seed).hasValue(content);
        assertThat(one.sources()).hasSize(1);
    }

    private static Ground ground(long seed) {
        return new Ground(() -> Instant.parse("2026-11-21T04:15:00Z"), new Random(seed));
    }

    /// Something happens between the question whether there is a source and its first put.
    private static final class Interrupted extends ForwardingStore {
        private Runnable meanwhile = () -> {};

        Interrupted() {
            super(MemoryStore.create());
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            if (name.startsWith(Names.SOURCE_KEYS)) {
                meanwhile.run();
            }
            return inner.put(name, content);
        }
    }
}
