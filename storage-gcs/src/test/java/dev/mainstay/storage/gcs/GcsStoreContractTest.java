package dev.mainstay.storage.gcs;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.testkit.GcsStub;
import dev.mainstay.testkit.ObjectStoreContract;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/// The contract, kept by this adapter and a stub of our own: not proven against the service.
final class GcsStoreContractTest extends ObjectStoreContract {
    private static final AtomicInteger PREFIXES = new AtomicInteger();

    private static @Nullable GcsStub server;

    @BeforeAll
    static void start() throws Exception {
        server = new GcsStub("contract");
    }

    @AfterAll
    static void stop() {
        Objects.requireNonNull(server).close();
    }

    @Override
    protected ObjectStore openEmpty() {
        GcsStub running = Objects.requireNonNull(server);
        String prefix = "some/prefix-" + PREFIXES.incrementAndGet();
        return GcsStore.open(Places.at(running.endpoint(), "contract", prefix));
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
