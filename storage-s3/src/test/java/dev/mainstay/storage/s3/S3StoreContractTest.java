package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.ObjectStoreContract;
import dev.mainstay.testkit.s3.S3Server;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/// The contract, kept by this adapter, the layer that tries again, and S3Proxy together. S3Proxy
/// keeps objects as files, which shows in three places: a name and its folder exclude each other
/// and the refusal is a plain 500 or 412 (S3 keeps them apart), puts and deletes in one folder disturb each
/// other now and then (again a 500, and worth another try), and names have room for a suffix.
final class S3StoreContractTest extends ObjectStoreContract {
    private static final AtomicInteger PREFIXES = new AtomicInteger();

    @TempDir
    static @Nullable Path folder;

    private static @Nullable S3Server server;

    @BeforeAll
    static void start() throws Exception {
        S3Server started = S3Server.start(Objects.requireNonNull(folder));
        started.makeBucket("contract");
        server = started;
    }

    @AfterAll
    static void stop() {
        Objects.requireNonNull(server).close();
    }

    @Override
    protected ObjectStore openEmpty() {
        S3Server running = Objects.requireNonNull(server);
        String prefix = "some/prefix-" + PREFIXES.incrementAndGet();
        return RetryingStore.of(
                S3Store.open(Places.on(running, "contract", prefix)),
                new RetryingStore.Patience(Duration.ofMillis(1), Duration.ofMillis(10), 12));
    }

    @Override
    protected Set<ErrorCode> refusalsOfFolders() {
        return Set.of(ErrorCode.STORE_OBJECT_EXISTS, ErrorCode.STORE_UNAVAILABLE);
    }

    @Override
    protected boolean takesFoldersForObjects() {
        return true;
    }

    @Override
    protected int longestSegment() {
        return 200;
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
