package dev.mainstay.testkit;

import dev.mainstay.base.ByteSize;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.MeteredStore;
import dev.mainstay.storage.wrap.RateLimitedStore;
import dev.mainstay.storage.wrap.RetryingStore;

import org.junit.jupiter.api.Nested;

/// A decorator is a store, and keeps the same contract.
final class WrappedStoresTest {
    @Nested
    final class Retrying extends ObjectStoreContract {
        @Override
        protected ObjectStore openEmpty() {
            return RetryingStore.of(MemoryStore.create(), RetryingStore.Patience.USUAL);
        }

        @Override
        protected boolean expectsPutIfAbsent() {
            return true;
        }
    }

    @Nested
    final class Metered extends ObjectStoreContract {
        @Override
        protected ObjectStore openEmpty() {
            return MeteredStore.of(MemoryStore.create());
        }

        @Override
        protected boolean expectsPutIfAbsent() {
            return true;
        }
    }

    @Nested
    final class RateLimited extends ObjectStoreContract {
        @Override
        protected ObjectStore openEmpty() {
            return RateLimitedStore.of(MemoryStore.create(), ByteSize.mib(1 << 20));
        }

        @Override
        protected boolean expectsPutIfAbsent() {
            return true;
        }
    }

    @Nested
    final class FaultyWithoutFaults extends ObjectStoreContract {
        @Override
        protected ObjectStore openEmpty() {
            return FaultyStore.of(MemoryStore.create(), Faults.NONE, 1);
        }

        @Override
        protected boolean expectsPutIfAbsent() {
            return true;
        }
    }
}
