package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.PastStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.remote.S3Place;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/// A bucket with versions as it was at a time. The times are the server's, so nobody who writes can
/// forge them.
final class S3PastStore implements PastStore {
    private final S3Connection connection;
    private final S3Client client;
    private final S3Place place;
    private final S3Versions versions;
    private final Failures failures;
    private final Instant time;
    private final boolean firstCounts;
    private final StoreFacts facts;

    private S3PastStore(
            S3Place place, S3Connection connection, Instant time, boolean firstCounts) {
        this.place = place;
        this.connection = connection;
        this.client = connection.client();
        this.failures = new Failures(place);
        this.versions = new S3Versions(client, place, failures, time, firstCounts);
        this.time = time;
        this.firstCounts = firstCounts;
        this.facts =
                new StoreFacts(place.url() + " as of " + time, true, true, true, false);
    }

    static S3PastStore open(S3Place place, Instant time, boolean firstCounts) {
        return new S3PastStore(place, S3Connection.open(place), time, firstCounts);
    }

    @Override
    public StoreFacts facts() {
        return facts;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        throw past("put", name);
    }

    @Override
    public DeleteOutcome delete(String name) {
        throw past("delete", name);
    }

    @Override
    public void replace(String name, ByteBuffer... content) {
        throw past("replace", name);
    }

    private MainstayException past(String what, String name) {
        return new MainstayException(
                ErrorCode.STORE_REFUSED,
                "cannot " + what + " '" + name + "' in " + facts.url() + ": the past is only read",
                "leave out --as-of",
                null);
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
    public void forEachHidden(String prefix, Consumer<StoredObject> each) {
        versions.forEachHidden(prefix, each);
    }

    /// Removes the delete markers since. Where the last version counts, one that was put since
    /// hides the object as well.
    @Override
    public Uncovered uncover(String name) {
        String key = versions.key(name);
        versions.demand(name);
        KeyHistory history = versions.history(name);
        if (!firstCounts && history.hasVersionsAfter(time)) {
            return Uncovered.REFUSED;
        }
        for (DeleteMarkerEntry marker : history.markersAfter(time)) {
            try {
                client.deleteObject(
                        request ->
                                request.bucket(place.bucket())
                                        .key(key)
                                        .versionId(marker.versionId()));
            } catch (SdkException failed) {
                if (Failures.isKept(failed)) {
                    return Uncovered.REFUSED;
                }
                throw failures.translate("cannot bring back '" + name + "'", failed);
            }
        }
        return Uncovered.DONE;
    }

    @Override
    public void close() {
        connection.close();
    }
}
