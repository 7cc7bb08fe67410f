package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.remote.ByteRanges;
import dev.mainstay.storage.remote.S3Place;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.PutObjectRequest;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.model.ServerSideEncryption;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Objects below a prefix of a bucket, under their own names. A put is one `PutObject` with
/// `If-None-Match: *`, so it makes the whole object visible or nothing, and never replaces one.
///
/// Each method makes one attempt; [dev.mainstay.storage.wrap.RetryingStore] is the place that tries
/// again, and the SDK is told not to.
///
/// **Facts.** S3 promises strong consistency and that what it acknowledged is durable. That a
/// conditional put is heeded is shown by [dev.mainstay.storage.remote.StoreProbe] when a repository
/// is made, which is refused otherwise. Opening one later does not ask again: a repository that is
/// here was made here, each process would pay some twenty requests, and a writer that may not
/// delete would leave litter at every start. The price: who copies a repository by other means to a
/// server that ignores conditions, or turns on versioning on a server that then does (Ceph), is not
/// warned.
public final class S3Store implements ObjectStore {
    /// What S3 returns at most.
    private static final int MOST_KEYS = 1000;

    private final S3Connection connection;
    private final S3Client client;
    private final S3Place place;
    private final S3Reads reads;
    private final Failures failures;
    private final String prefix;
    private final StoreFacts facts;

    private S3Store(S3Place place, S3Connection connection) {
        this.place = place;
        this.connection = connection;
        this.client = connection.client();
        this.prefix = place.prefix().isEmpty() ? "" : place.prefix() + "/";
        this.failures = new Failures(place);
        this.reads = new S3Reads(client, place.bucket(), failures);
        this.facts = new StoreFacts(place.url(), true, true, true, false);
    }

    /// Opens the store; no request is made yet.
    ///
    /// @throws MainstayException STORE_REFUSED if no region is known or the CA file is unreadable
    public static S3Store open(S3Place place) {
        return new S3Store(place, S3Connection.open(place));
    }

    @Override
    public StoreFacts facts() {
        return facts;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        String key = prefix + ObjectName.check(name);
        demandNoLocks(name);
        Content bytes = new Content(content);
        try {
            client.putObject(request(place, key, bytes).build(), bytes.body());
            return PutOutcome.CREATED;
        } catch (S3Exception answered) {
            if (answered.statusCode() == 412) {
                return PutOutcome.EXISTED;
            }
            throw failures.translate("cannot put '" + name + "'", answered);
        } catch (SdkException failed) {
            throw failures.translate("cannot put '" + name + "'", failed);
        }
    }

    /// A `PutObject` without the condition.
    @Override
    public void replace(String name, ByteBuffer... content) {
        String key = prefix + ObjectName.check(name);
        demandNoLocks(name);
        Content bytes = new Content(content);
        try {
            client.putObject(request(place, key, bytes).ifNoneMatch(null).build(), bytes.body());
        } catch (SdkException failed) {
            throw failures.translate("cannot replace '" + name + "'", failed);
        }
    }

    /// Where objects are locked, what this puts would not be, and on a server that ignores the
    /// condition where there are versions it might be put over something. Whoever opens a
    /// repository looks for its `format`, so it is found out without a request of its own.
    private void demandNoLocks(String name) {
        if (reads.sawLock()) {
            throw new MainstayException(
                    ErrorCode.STORE_REFUSED,
                    "cannot put '"
                            + name
                            + "' in "
                            + place.url()
                            + ": what is there is locked, and the configuration knows nothing of"
                            + " locks",
                    "set repository.lock as on the other hosts (docs/immutability.md)",
                    null);
        }
    }

    /// A put that asks not to replace anything.
    static PutObjectRequest.Builder request(S3Place place, String key, Content bytes) {
        PutObjectRequest.Builder request =
                PutObjectRequest.builder()
                        .bucket(place.bucket())
                        .key(key)
                        .ifNoneMatch("*")
                        .checksumCRC32C(bytes.crc32c());
        place.storing().storageClass().ifPresent(request::storageClass);
        place.storing()
                .encryption()
                .ifPresent(
                        encryption -> {
                            switch (encryption) {
                                case S3Place.Encryption.Aes256() ->
                                        request.serverSideEncryption(ServerSideEncryption.AES256);
                                case S3Place.Encryption.Kms(Optional<String> key_) -> {
                                    request.serverSideEncryption(ServerSideEncryption.AWS_KMS);
                                    key_.ifPresent(request::ssekmsKeyId);
                                }
                            }
                        });
        return request;
    }

    @Override
    public byte[] get(String name, long offset, int length) {
        String key = prefix + ObjectName.check(name);
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("negative range: " + offset + ", " + length);
        }
        if (length == 0 || offset > Long.MAX_VALUE - length) {
            return ByteRanges.nothing(name, reads.size(name, key), offset, length);
        }
        return reads.range(name, key, offset, length);
    }

    @Override
    public Optional<byte[]> whole(String name) {
        return reads.whole(name, prefix + ObjectName.check(name));
    }

    @Override
    public Optional<Long> size(String name) {
        return reads.size(name, prefix + ObjectName.check(name));
    }

    /// Names that no object of ours can have, such as the empty `folder/` that consoles put, are
    /// left out.
    @Override
    public ListPage list(String namePrefix, String after, int limit) {
        ObjectName.checkPrefix(namePrefix);
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit);
        }
        String startAfter = after.isEmpty() ? "" : prefix + after;
        while (true) {
            ListObjectsV2Response answer = page(namePrefix, startAfter, limit);
            List<StoredObject> objects = new ArrayList<>();
            for (S3Object each : answer.contents()) {
                startAfter = each.key();
                String name = each.key().substring(prefix.length());
                if (ObjectName.isValid(name)) {
                    objects.add(new StoredObject(name, each.size()));
                }
            }
            boolean last = !Boolean.TRUE.equals(answer.isTruncated());
            if (last || !objects.isEmpty()) {
                return new ListPage(objects, last);
            }
            if (answer.contents().isEmpty()) {
                throw new MainstayException(
                        ErrorCode.STORE_UNAVAILABLE,
                        "cannot list '"
                                + namePrefix
                                + "' in "
                                + place.url()
                                + ": the server says that there is more, and shows nothing");
            }
        }
    }

    private ListObjectsV2Response page(String namePrefix, String startAfter, int limit) {
        try {
            return client.listObjectsV2(
                    request -> {
                        request.bucket(place.bucket())
                                .prefix(prefix + namePrefix)
                                .maxKeys(Math.min(limit, MOST_KEYS));
                        if (!startAfter.isEmpty()) {
                            request.startAfter(startAfter);
                        }
                    });
        } catch (SdkException failed) {
            throw failures.translate("cannot list '" + namePrefix + "'", failed);
        }
    }

    /// S3 answers a delete in the same way whether there was something or not, so it is asked
    /// before; of two that delete at the same time both may be told DELETED.
    @Override
    public DeleteOutcome delete(String name) {
        String key = prefix + ObjectName.check(name);
        if (reads.size(name, key).isEmpty()) {
            return DeleteOutcome.ABSENT;
        }
        try {
            client.deleteObject(request -> request.bucket(place.bucket()).key(key));
            return DeleteOutcome.DELETED;
        } catch (SdkException failed) {
            if (Failures.isKept(failed)) {
                return DeleteOutcome.REFUSED;
            }
            throw failures.translate("cannot delete '" + name + "'", failed);
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
