package dev.mainstay.storage.azure;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.testkit.ObjectStoreContract;
import dev.mainstay.testkit.azure.Azurite;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/// The contract, kept by this adapter and Azurite, without the layer that tries again.
class AzureStoreContractTest extends ObjectStoreContract {
    private static final AtomicInteger PREFIXES = new AtomicInteger();

    private static @Nullable Azurite server;

    @BeforeAll
    static void start() throws Exception {
        Azurite started = Azurite.start();
        started.makeContainer("contract");
        server = started;
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    @Override
    protected final ObjectStore openEmpty() {
        Azurite running = Objects.requireNonNull(server);
        String prefix = "some/prefix-" + PREFIXES.incrementAndGet();
        return open(running, prefix);
    }

    ObjectStore open(Azurite running, String prefix) {
        return AzureStore.open(Places.on(running, "contract", prefix));
    }

    @Override
    protected final boolean expectsPutIfAbsent() {
        return true;
    }
}
