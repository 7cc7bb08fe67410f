package dev.mainstay.testkit;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

final class MemoryStoreTest extends ObjectStoreContract {
    @Override
    protected ObjectStore openEmpty() {
        return MemoryStore.create();
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
