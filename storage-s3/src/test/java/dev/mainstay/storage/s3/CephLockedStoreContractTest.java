package dev.mainstay.storage.s3;

import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.ObjectStoreContract;
import dev.mainstay.testkit.s3.CephServer;

import org.junit.jupiter.api.BeforeAll;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/// The contract on a bucket of Ceph with versions and Object Lock, where every object is locked and
/// the gateway ignores `If-None-Match`: the first version of a name is the object.
final class CephLockedStoreContractTest extends ObjectStoreContract {
    private static final AtomicInteger PREFIXES = new AtomicInteger();
    private static String bucket = "";

    @BeforeAll
    static void start() {
        bucket = CephServer.assume().makeLockedBucket();
    }

    @Override
    protected ObjectStore openEmpty() {
        String prefix = "some/prefix-" + PREFIXES.incrementAndGet();
        RetentionLock lock =
                new RetentionLock(LockMode.GOVERNANCE, Instant.now().plus(Duration.ofDays(1)));
        return RetryingStore.of(
                S3LockedStore.open(
                        Places.on(CephServer.assume(), Objects.requireNonNull(bucket), prefix),
                        _ -> Optional.of(lock)),
                RetryingStore.Patience.USUAL);
    }

    @Override
    protected boolean expectsPutIfAbsent() {
        return true;
    }
}
