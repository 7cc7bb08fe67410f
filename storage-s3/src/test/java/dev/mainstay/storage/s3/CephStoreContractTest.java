package dev.mainstay.storage.s3;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.ObjectStoreContract;
import dev.mainstay.testkit.s3.CephServer;

import org.junit.jupiter.api.BeforeAll;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;

/// The contract on a bucket of Ceph without versions, where the gateway heeds `If-None-Match`.
final class CephStoreContractTest extends ObjectStoreContract {
    private static final AtomicInteger PREFIXES = new AtomicInteger();
    private static String bucket = "";

    @BeforeAll
    static void start() {
        bucket = CephServer.assume().makeBucket();
    }

    @Override
    protected ObjectStore openEmpty() {
        String prefix = "some/prefix-" + PREFIXES.incrementAndGet();
        return RetryingStore.of(
                S3Store.open(Places.on(CephServer.assume(), Objects.requireNonNull(bucket), prefix)),
                RetryingStore.Patience.USUAL);
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
