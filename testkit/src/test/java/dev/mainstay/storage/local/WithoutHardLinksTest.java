package dev.mainstay.storage.local;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.testkit.ObjectStoreContract;

import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.InstantSource;

/// The rename under a lock keeps the contract within one host.
final class WithoutHardLinksTest extends ObjectStoreContract {
    @TempDir private Path directory = Path.of("");

    @Override
    protected ObjectStore openEmpty() {
        try {
            Folders.makeOne(directory.resolve(TempFiles.FOLDER));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return LocalStore.openAs(
                directory, InstantSource.system(), new Abilities(true, false, true, true));
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return false;
    }
}
