package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.RetentionLock;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.remote.S3Place;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectLockMode;
import software.amazon.awssdk.services.s3.model.ObjectLockRetention;
import software.amazon.awssdk.services.s3.model.ObjectLockRetentionMode;
import software.amazon.awssdk.services.s3.model.ObjectVersion;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;

/// Objects below a prefix of a bucket with versions and Object Lock. What is put is locked by a
/// rule; of several versions of a name the first one is the object ([KeyHistory]). A delete puts a
/// marker, which hides the object and takes nothing away, so none is ever refused.
///
/// A put is asked not to replace anything (`If-None-Match: *`), and looks afterwards whether it was
/// the first: so it keeps the contract on servers that ignore the condition on buckets with
/// versions. It costs a listing of the key. Like [S3Store] it makes one attempt.
final class S3LockedStore implements ObjectStore, ObjectLocks {
    private final S3Connection connection;
    private final S3Client client;
    private final S3Place place;
    private final S3Versions versions;
    private final Failures failures;
    private final LockRule rule;
    private final StoreFacts facts;

    /// The server replaced something though it was asked not to: from now on it is looked before a
    /// put, so that not every second put of a name leaves a version that is locked and useless.
    private volatile boolean ignoresCondition;

    private S3LockedStore(S3Place place, S3Connection connection, LockRule rule) {
        this.place = place;
        this.connection = connection;
        this.client = connection.client();
        this.failures = new Failures(place);
        this.versions = new S3Versions(client, place, failures, Instant.MAX, true);
        this.rule = rule;
        this.facts = new StoreFacts(place.url(), true, true, true, true);
    }

    static S3LockedStore open(S3Place place, LockRule rule) {
        return new S3LockedStore(place, S3Connection.open(place), rule);
    }

    @Override
    public StoreFacts facts() {
        return facts;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        String key = versions.key(name);
        if (ignoresCondition && versions.find(name).isPresent()) {
            return PutOutcome.EXISTED;
        }
        Content bytes = new Content(content);
        PutObjectRequest.Builder request = locked(name, S3Store.request(place, key, bytes));
        String version;
        try {
            version = client.putObject(request.build(), bytes.body()).versionId();
        } catch (S3Exception answered) {
            if (answered.statusCode() == 412) {
                return PutOutcome.EXISTED;
            }
            throw failures.translate("cannot put '" + name + "'", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot put '" + name + "'", failed);
        }
        return outcome(name, version);
    }

    private PutObjectRequest.Builder locked(String name, PutObjectRequest.Builder request) {
        rule.of(name)
                .ifPresent(
                        lock ->
                                request.objectLockMode(ObjectLockMode.valueOf(lock.mode().name()))
                                        .objectLockRetainUntilDate(lock.until()));
        return request;
    }

    /// The first version since the newest delete marker is the object, so a marker comes between the
    /// damaged one and the new one; for that moment there is none. That the new one can be put at
    /// all, lock included, is tried before, as a version that does not count. Nothing is taken away.
    @Override
    public void replace(String name, ByteBuffer... content) {
        String key = versions.key(name);
        if (versions.find(name).isPresent()) {
            Content bytes = new Content(content);
            try {
                client.putObject(
                        locked(name, S3Store.request(place, key, bytes)).ifNoneMatch(null).build(),
                        bytes.body());
                client.deleteObject(request -> request.bucket(place.bucket()).key(key));
            } catch (SdkException failed) {
                throw failures.translate("cannot replace '" + name + "'", failed);
            }
            versions.forget(name);
        }
        if (put(name, content) == PutOutcome.EXISTED && !isThere(name, content)) {
            throw new MainstayException(
                    ErrorCode.STORE_OBJECT_EXISTS,
                    "'" + name + "' was put by somebody else while it was replaced");
        }
    }

    private boolean isThere(String name, ByteBuffer... content) {
        ByteBuffer wanted = ByteBuffer.allocate(Math.toIntExact(ObjectStore.length(content)));
        for (ByteBuffer each : content) {
            wanted.put(each.duplicate());
        }
        return versions.size(name).orElse(-1L) == wanted.capacity()
                && ByteBuffer.wrap(versions.get(name, 0, wanted.capacity())).equals(wanted.flip());
    }

    private PutOutcome outcome(String name, String version) {
        Optional<ObjectVersion> object = versions.find(name);
        if (version == null || object.isEmpty()) {
            throw new MainstayException(
                    version == null ? ErrorCode.STORE_INCAPABLE : ErrorCode.STORE_UNAVAILABLE,
                    version == null
                            ? "the bucket of " + place.url() + " keeps no versions"
                            : "'" + name + "' was deleted while it was put in " + place.url(),
                    "turn on versioning and Object Lock on the bucket",
                    null);
        }
        if (object.get().versionId().equals(version)) {
            return PutOutcome.CREATED;
        }
        ignoresCondition = true;
        return PutOutcome.EXISTED;
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        return versions.get(name, offset, length);
    }

    @Override
    public Optional<Long> size(String name) {
        return versions.size(name);
    }

    @Override
    public ListPage list(String prefix, String after, int limit) {
        return versions.list(prefix, after, limit);
    }

    @Override
    public DeleteOutcome delete(String name) {
        String key = versions.key(name);
        if (versions.find(name).isEmpty()) {
            return DeleteOutcome.ABSENT;
        }
        try {
            client.deleteObject(request -> request.bucket(place.bucket()).key(key));
            versions.forget(name);
            return DeleteOutcome.DELETED;
        } catch (SdkException failed) {
            if (Failures.isKept(failed)) {
                return DeleteOutcome.REFUSED;
            }
            throw failures.translate("cannot delete '" + name + "'", failed);
        }
    }

    @Override
    public Optional<ObjectLocks> locks() {
        return Optional.of(this);
    }

    @Override
    public LockRule rule() {
        return rule;
    }

    @Override
    public Optional<RetentionLock> of(String name) {
        String key = versions.key(name);
        ObjectVersion version = versions.demand(name);
        try {
            ObjectLockRetention kept =
                    client.getObjectRetention(
                                    request ->
                                            request.bucket(place.bucket())
                                                    .key(key)
                                                    .versionId(version.versionId()))
                            .retention();
            return kept == null || kept.retainUntilDate() == null
                    ? Optional.empty()
                    : Optional.of(
                            new RetentionLock(
                                    kept.mode() == ObjectLockRetentionMode.COMPLIANCE
                                            ? LockMode.COMPLIANCE
                                            : LockMode.GOVERNANCE,
                                    kept.retainUntilDate()));
        } catch (S3Exception answered) {
            if (Failures.isUnlocked(answered)) {
                return Optional.empty();
            }
            throw failures.translate("cannot look at the lock of '" + name + "'", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot look at the lock of '" + name + "'", failed);
        }
    }

    @Override
    public void extend(String name, RetentionLock lock) {
        String key = versions.key(name);
        ObjectVersion version = versions.demand(name);
        try {
            client.putObjectRetention(
                    request ->
                            request.bucket(place.bucket())
                                    .key(key)
                                    .versionId(version.versionId())
                                    .retention(
                                            kept ->
                                                    kept.mode(lock.mode().name())
                                                            .retainUntilDate(lock.until())));
        } catch (SdkException failed) {
            throw failures.translate("cannot lock '" + name + "'", failed);
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
