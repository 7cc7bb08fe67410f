package dev.mainstay.storage.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PastStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreFinding;
import dev.mainstay.storage.remote.StoreProbe;
import dev.mainstay.testkit.Await;
import dev.mainstay.testkit.s3.CephServer;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DefaultRetention;
import software.amazon.awssdk.services.s3.model.LifecycleRule;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// Versions and locks of a bucket, on a gateway of Ceph.
final class CephLocksTest {
    private static final PlaceLock LOCK = new PlaceLock(LockMode.COMPLIANCE, 30, 7);

    private final Instant until =
            Instant.now().plus(Duration.ofDays(2)).truncatedTo(ChronoUnit.SECONDS);
    private CephServer server = CephServer.assume();
    private String bucket = "";

    @BeforeEach
    void makeBucket() {
        server = CephServer.assume();
        bucket = server.makeLockedBucket();
    }

    private S3Place place(String in) {
        return Places.on(server, in, "pre/fix");
    }

    private S3LockedStore locked(LockMode mode) {
        return S3LockedStore.open(
                place(bucket),
                name ->
                        name.startsWith("free")
                                ? Optional.empty()
                                : Optional.of(new RetentionLock(mode, until)));
    }

    private static PutOutcome put(ObjectStore store, String name, String content) {
        return store.put(name, ByteBuffer.wrap(content.getBytes(US_ASCII)));
    }

    private static String text(ObjectStore store, String name) {
        int size = store.size(name).orElseThrow().intValue();
        return new String(store.get(name, 0, size), US_ASCII);
    }

    @Test
    void aGatewayThatIgnoresTheConditionIsFoundOut() {
        try (ObjectStore plain = S3Store.open(place(bucket))) {
            assertThatThrownBy(() -> StoreProbe.demand(plain, new Random(1)))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failure ->
                                    assertThat(failure.code())
                                            .isEqualTo(ErrorCode.STORE_INCAPABLE));
        }
        try (ObjectStore first = locked(LockMode.GOVERNANCE)) {
            StoreProbe.demand(first, new Random(1));
        }
    }

    @Test
    void whatIsPutIsLockedByTheRuleAndALockOnlyGrows() {
        try (S3LockedStore store = locked(LockMode.COMPLIANCE)) {
            put(store, "packs/a", "one");
            put(store, "free/a", "two");
            assertThat(store.of("packs/a"))
                    .contains(new RetentionLock(LockMode.COMPLIANCE, until));
            assertThat(store.of("free/a")).isEmpty();
            RetentionLock longer =
                    new RetentionLock(LockMode.COMPLIANCE, until.plus(Duration.ofDays(1)));
            store.extend("packs/a", longer);
            store.extend("packs/a", longer);
            store.extend("free/a", longer);
            assertThat(store.of("packs/a")).contains(longer);
            assertThat(store.of("free/a")).contains(longer);
            assertThatThrownBy(
                            () ->
                                    store.extend(
                                            "packs/a",
                                            new RetentionLock(LockMode.COMPLIANCE, until)))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failure ->
                                    assertThat(failure.code()).isEqualTo(ErrorCode.STORE_REFUSED));
            assertThatThrownBy(() -> store.of("packs/none"))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failure ->
                                    assertThat(failure.code())
                                            .isEqualTo(ErrorCode.STORE_OBJECT_MISSING));
        }
    }

    @Test
    void whoKnowsNothingOfLocksPutsNothingWhereObjectsAreLocked() {
        try (S3LockedStore store = locked(LockMode.GOVERNANCE);
                ObjectStore plain = S3Store.open(place(bucket))) {
            put(store, "format", "x");
            assertThat(plain.size("format")).contains(1L);
            assertThatThrownBy(() -> put(plain, "packs/a", "y"))
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            failure -> {
                                assertThat(failure.code()).isEqualTo(ErrorCode.STORE_REFUSED);
                                assertThat(failure.hint()).contains("repository.lock");
                            });
            assertThat(store.size("packs/a")).isEmpty();
        }
    }

    @Test
    void whatIsPutOverAnObjectByOtherMeansCountsForNothing() {
        try (S3LockedStore store = locked(LockMode.GOVERNANCE);
                S3Client anybody = server.client(server.owner())) {
            put(store, "slots/a", "ours");
            anybody.putObject(
                    request -> request.bucket(bucket).key("pre/fix/slots/a"),
                    RequestBody.fromString("forged, and longer"));
            try (S3LockedStore fresh = locked(LockMode.GOVERNANCE)) {
                assertThat(text(fresh, "slots/a")).isEqualTo("ours");
                assertThat(fresh.list("", "", 5).objects())
                        .containsExactly(new StoredObject("slots/a", 4));
                assertThat(put(fresh, "slots/a", "again")).isEqualTo(PutOutcome.EXISTED);
                assertThat(fresh.delete("slots/a")).isEqualTo(DeleteOutcome.DELETED);
                assertThat(fresh.size("slots/a")).isEmpty();
                assertThat(put(fresh, "slots/a", "anew")).isEqualTo(PutOutcome.CREATED);
                assertThat(text(fresh, "slots/a")).isEqualTo("anew");
            }
        }
    }

    @Test
    void theBucketIsSeenAsItWasAndWhatWasDeletedComesBack() {
        try (S3LockedStore store = locked(LockMode.GOVERNANCE)) {
            put(store, "a/kept", "1");
            put(store, "a/hidden", "2");
            put(store, "a/replaced", "3");
            Instant then = Instant.now();
            Await.until("the next second", () -> Instant.now().isAfter(then.plusMillis(1100)));
            store.delete("a/hidden");
            store.delete("a/replaced");
            put(store, "a/replaced", "forged");
            put(store, "a/new", "4");
            try (PastStore past = S3PastStore.open(place(bucket), then.plusMillis(500), true)) {
                assertThat(past.list("a/", "", 10).objects())
                        .containsExactly(
                                new StoredObject("a/hidden", 1),
                                new StoredObject("a/kept", 1),
                                new StoredObject("a/replaced", 1));
                assertThat(text(past, "a/replaced")).isEqualTo("3");
                assertThat(past.size("a/new")).isEmpty();
                assertThatThrownBy(() -> past.delete("a/kept"))
                        .isInstanceOf(MainstayException.class);
                assertThat(past.uncover("a/hidden")).isEqualTo(PastStore.Uncovered.DONE);
                assertThat(past.uncover("a/replaced")).isEqualTo(PastStore.Uncovered.DONE);
            }
            try (S3LockedStore fresh = locked(LockMode.GOVERNANCE)) {
                assertThat(text(fresh, "a/hidden")).isEqualTo("2");
                assertThat(text(fresh, "a/replaced")).isEqualTo("3");
            }
            try (PastStore last = S3PastStore.open(place(bucket), then.plusMillis(500), false)) {
                assertThat(last.uncover("a/replaced"))
                        .as("where the last version counts the forged one hides it")
                        .isEqualTo(PastStore.Uncovered.REFUSED);
            }
        }
    }

    @Test
    void theBucketIsJudged() {
        assertThat(S3Bucket.judge(place(bucket), Optional.of(LOCK)))
                .allMatch(each -> each.severity() == StoreFinding.Severity.OK)
                .extracting(StoreFinding::id)
                .contains("bucket-versioning", "bucket-lock");
        assertThat(severities(bucket, Optional.empty()))
                .contains("bucket-lock WARNING: nothing is locked");
        String plain = server.makeBucket();
        assertThat(ids(plain, Optional.of(LOCK)))
                .contains("bucket-versioning ERROR", "bucket-lock ERROR");
        assertThat(ids(plain, Optional.empty())).contains("bucket-versioning WARNING");
        try (S3Client owner = server.client(server.owner())) {
            DefaultRetention day = DefaultRetention.builder().mode("GOVERNANCE").days(1).build();
            owner.putObjectLockConfiguration(
                    request ->
                            request.bucket(bucket)
                                    .objectLockConfiguration(
                                            lock ->
                                                    lock.objectLockEnabled("Enabled")
                                                            .rule(r -> r.defaultRetention(day))));
            LifecycleRule tidy =
                    LifecycleRule.builder()
                            .id("tidy")
                            .status("Enabled")
                            .filter(each -> each.prefix("pre/"))
                            .expiration(each -> each.days(9))
                            .build();
            owner.putBucketLifecycleConfiguration(
                    request ->
                            request.bucket(bucket)
                                    .lifecycleConfiguration(rules -> rules.rules(List.of(tidy))));
        }
        assertThat(ids(bucket, Optional.of(LOCK)))
                .contains("bucket-default-retention WARNING", "bucket-lifecycle ERROR");
    }

    private List<String> ids(String in, Optional<PlaceLock> lock) {
        return S3Bucket.judge(place(in), lock).stream()
                .map(each -> each.id() + " " + each.severity())
                .toList();
    }

    private List<String> severities(String in, Optional<PlaceLock> lock) {
        return S3Bucket.judge(place(in), lock).stream()
                .map(
                        each ->
                                each.id()
                                        + " "
                                        + each.severity()
                                        + ":"
                                        + each.text()
                                                .substring(each.text().lastIndexOf(':') + 1))
                .toList();
    }
}
