package dev.mainstay.testkit;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.local.LocalStore;

import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;

final class LocalStoreTest extends ObjectStoreContract {
    @TempDir private Path directory = Path.of("");

    @Override
    protected ObjectStore openEmpty() {
        return LocalStore.create(directory.resolve("some/store"));
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
