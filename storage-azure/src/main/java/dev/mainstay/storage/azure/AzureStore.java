package dev.mainstay.storage.azure;

import com.azure.core.util.Context;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.models.AccessTier;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.options.BlockBlobCommitBlockListOptions;
import com.azure.storage.blob.options.BlockBlobSimpleUploadOptions;
import com.azure.storage.blob.options.BlockBlobStageBlockOptions;
import com.azure.storage.blob.specialized.BlockBlobClient;

import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.StoreFacts;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.ByteRanges;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Objects below a prefix of a container, as block blobs under their own names. A put is one `Put
/// Blob` with `If-None-Match: *`; a large object is sent in blocks, and the commit of their list
/// carries the condition. So a put makes the whole object visible or nothing, and never replaces
/// one.
///
/// Each method makes one attempt; [dev.mainstay.storage.wrap.RetryingStore] is the place that tries
/// again, and the SDK is told not to.
///
/// **Facts.** Azure promises strong consistency and that what it acknowledged is durable. That a
/// conditional put is heeded and that listings are in the order of names (they are not in accounts
/// with a hierarchical namespace) is shown by [dev.mainstay.storage.remote.StoreProbe] when a
/// repository is made.
public final class AzureStore implements ObjectStore {
    private static final String ANY = "*";

    /// What is longer travels in blocks of this size: none takes for ever on a slow line.
    private static final int BLOCK = 96 << 20;

    /// A line that is slower than this is taken for broken.
    private static final long LEAST_BYTES_A_SECOND = 128 << 10;

    /// The SDK's name for how long an answer may take, the sending of its request included.
    private static final String RESPONSE_TIMEOUT = "azure-response-timeout";

    private final BlobContainerClient container;
    private final AzurePlace place;
    private final AzureReads reads;
    private final AzureListing listing;
    private final Failures failures;
    private final String prefix;
    private final StoreFacts facts;
    private final int block;

    private AzureStore(AzurePlace place, BlobContainerClient container, int block, int page) {
        this.place = place;
        this.container = container;
        this.prefix = place.prefix().isEmpty() ? "" : place.prefix() + "/";
        this.failures = new Failures(place);
        this.reads = new AzureReads(container, place, failures);
        this.listing = new AzureListing(container, prefix, failures, page);
        this.facts = new StoreFacts(place.url(), true, true, true, false);
        this.block = block;
    }

    /// Opens the store; no request is made yet.
    ///
    /// @throws MainstayException STORE_REFUSED if the login or the CA file cannot be used
    public static AzureStore open(AzurePlace place) {
        return open(place, System.getenv(), BLOCK, AzureListing.MOST);
    }

    static AzureStore open(
            AzurePlace place, Map<String, String> environment, int block, int page) {
        return new AzureStore(place, AzureConnection.open(place, environment), block, page);
    }

    @Override
    public StoreFacts facts() {
        return facts;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        String key = prefix + ObjectName.check(name);
        BlockBlobClient blob = container.getBlobClient(key).getBlockBlobClient();
        Body body = Body.of(content);
        String what = "cannot put '" + name + "'";
        boolean whole = body.length() <= block;
        if (!whole && reads.size(name, key).isPresent()) {
            return PutOutcome.EXISTED; // before it travels for nothing
        }
        return failures.asked(
                what,
                () -> {
                    try {
                        put(blob, body, whole, absent());
                        return PutOutcome.CREATED;
                    } catch (BlobStorageException answered) {
                        return refused(name, key, what, answered);
                    }
                });
    }

    /// An upload without the condition.
    @Override
    public void replace(String name, ByteBuffer... content) {
        String key = prefix + ObjectName.check(name);
        BlockBlobClient blob = container.getBlobClient(key).getBlockBlobClient();
        Body body = Body.of(content);
        boolean whole = body.length() <= block;
        boolean _ =
                failures.asked(
                        "cannot replace '" + name + "'",
                        () -> {
                            put(blob, body, whole, new BlobRequestConditions());
                            return true;
                        });
    }

    private void put(
            BlockBlobClient blob, Body body, boolean whole, BlobRequestConditions conditions) {
        if (whole) {
            putWhole(blob, body, conditions);
        } else {
            putBlocks(blob, body, conditions);
        }
    }

    private void putWhole(BlockBlobClient blob, Body body, BlobRequestConditions conditions) {
        BlockBlobSimpleUploadOptions options =
                new BlockBlobSimpleUploadOptions(body.data())
                        .setContentMd5(body.md5())
                        .setRequestConditions(conditions);
        tier().ifPresent(options::setTier);
        blob.uploadWithResponse(options, null, patience(body.length()));
    }

    /// The names of blocks are made of what they hold: two that put the same object at the same time
    /// send the same blocks, and no other put's block is ever taken for one of ours.
    private void putBlocks(BlockBlobClient blob, Body body, BlobRequestConditions conditions) {
        List<String> ids = new ArrayList<>();
        for (Body each : body.blocks(block)) {
            byte[] md5 = each.md5();
            byte[] id = ByteBuffer.allocate(4 + md5.length).putInt(ids.size()).put(md5).array();
            ids.add(Base64.getEncoder().encodeToString(id));
            blob.stageBlockWithResponse(
                    new BlockBlobStageBlockOptions(ids.getLast(), each.data()).setContentMd5(md5),
                    null,
                    patience(each.length()));
        }
        BlockBlobCommitBlockListOptions options =
                new BlockBlobCommitBlockListOptions(ids).setRequestConditions(conditions);
        tier().ifPresent(options::setTier);
        blob.commitBlockListWithResponse(options, null, Context.NONE);
    }

    private static BlobRequestConditions absent() {
        return new BlobRequestConditions().setIfNoneMatch(ANY);
    }

    private Optional<AccessTier> tier() {
        return place.storing().accessTier().map(AccessTier::fromString);
    }

    private static Context patience(long bytes) {
        Duration sending = Duration.ofSeconds(bytes / LEAST_BYTES_A_SECOND);
        return new Context(RESPONSE_TIMEOUT, AzureConnection.SILENCE.plus(sending));
    }

    /// Whether the name is taken, or what else is wrong. Azure says 409 for a name that is taken, 412
    /// for a condition that does not hold, 403 to whom may create but not overwrite, and 409 and 403
    /// for much else. Who commits blocks after somebody else's commit may be told that they are gone.
    private PutOutcome refused(
            String name, String key, String what, BlobStorageException answered) {
        if (Failures.isTaken(answered)) {
            return PutOutcome.EXISTED;
        }
        if (Failures.mayBeTaken(answered) && reads.size(name, key).isPresent()) {
            return PutOutcome.EXISTED;
        }
        throw failures.translate(what, answered);
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

    @Override
    public ListPage list(String namePrefix, String after, int limit) {
        ObjectName.checkPrefix(namePrefix);
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit);
        }
        return listing.page(namePrefix, after, limit);
    }

    /// Snapshots that somebody made of the object are not deleted with it: Azure then refuses.
    @Override
    public DeleteOutcome delete(String name) {
        String key = prefix + ObjectName.check(name);
        String what = "cannot delete '" + name + "'";
        return failures.asked(
                what,
                () -> {
                    try {
                        container.getBlobClient(key).delete();
                        return DeleteOutcome.DELETED;
                    } catch (BlobStorageException answered) {
                        if (Failures.isNoBlob(answered)) {
                            return DeleteOutcome.ABSENT;
                        }
                        if (Failures.isKept(answered)) {
                            return DeleteOutcome.REFUSED;
                        }
                        throw failures.translate(what, answered);
                    }
                });
    }

    @Override
    public void close() {
        // the JDK's HTTP client ends by itself once nobody refers to it
    }
}
