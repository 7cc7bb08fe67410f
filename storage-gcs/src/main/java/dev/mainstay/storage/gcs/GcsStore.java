package dev.mainstay.storage.gcs;

import com.google.api.services.storage.Storage;
import com.google.api.services.storage.model.Objects;
import com.google.api.services.storage.model.StorageObject;

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
import dev.mainstay.storage.remote.GcsPlace;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Objects below a prefix of a bucket, under their own names. A put is one upload on the condition
/// that the name has no generation (`ifGenerationMatch=0`), so it makes the whole object visible or
/// nothing, and never replaces one.
///
/// Each method makes one attempt; [dev.mainstay.storage.wrap.RetryingStore] is the place that tries
/// again, and the SDK is told not to.
///
/// **Facts.** Google promises strong consistency and that what it acknowledged is durable. That the
/// condition is heeded is shown by [dev.mainstay.storage.remote.StoreProbe] when a repository is made.
public final class GcsStore implements ObjectStore {
    /// What Google returns at most.
    private static final int MOST_NAMES = 1000;

    private static final long NO_GENERATION = 0;

    private final GcsConnection connection;
    private final Storage client;
    private final GcsPlace place;
    private final GcsReads reads;
    private final Failures failures;
    private final String prefix;
    private final StoreFacts facts;

    private GcsStore(GcsPlace place, GcsConnection connection) {
        this.place = place;
        this.connection = connection;
        this.client = connection.client();
        this.prefix = place.prefix().isEmpty() ? "" : place.prefix() + "/";
        this.failures = new Failures(place);
        this.reads = new GcsReads(client, place, failures);
        this.facts = new StoreFacts(place.url(), true, true, true, false);
    }

    /// Opens the store; no request is made to it yet.
    ///
    /// @throws MainstayException STORE_REFUSED if there is no login, or the CA file is unusable
    public static GcsStore open(GcsPlace place) {
        return new GcsStore(place, GcsConnection.open(place));
    }

    @Override
    public StoreFacts facts() {
        return facts;
    }

    @Override
    public PutOutcome put(String name, ByteBuffer... content) {
        try {
            insert(name, content).setIfGenerationMatch(NO_GENERATION).execute();
            return PutOutcome.CREATED;
        } catch (IOException failed) {
            if (Failures.status(failed) == 412) {
                return PutOutcome.EXISTED;
            }
            throw failures.translate("cannot put '" + name + "'", failed);
        }
    }

    /// An insert without the condition.
    @Override
    public void replace(String name, ByteBuffer... content) {
        try {
            insert(name, content).execute();
        } catch (IOException failed) {
            throw failures.translate("cannot replace '" + name + "'", failed);
        }
    }

    private Storage.Objects.Insert insert(String name, ByteBuffer... content) throws IOException {
        String key = prefix + ObjectName.check(name);
        Media media = new Media(content);
        StorageObject object = new StorageObject().setName(key).setCrc32c(media.crc32c());
        place.storing().storageClass().ifPresent(object::setStorageClass);
        Storage.Objects.Insert insert = client.objects().insert(place.bucket(), object, media);
        place.storing().kmsKey().ifPresent(insert::setKmsKeyName);
        insert.setFields("name");
        insert.setDisableGZipContent(true);
        insert.getMediaHttpUploader().setDirectUploadEnabled(true);
        return insert;
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

    /// Names that no object of ours can have are left out.
    @Override
    public ListPage list(String namePrefix, String after, int limit) {
        ObjectName.checkPrefix(namePrefix);
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit);
        }
        String what = "cannot list '" + namePrefix + "'";
        @Nullable String token = null;
        while (true) {
            Objects answer = page(what, namePrefix, after, Math.min(limit, MOST_NAMES - 1), token);
            List<StoredObject> objects = objects(what, answer, after, limit);
            token = answer.getNextPageToken();
            if (token == null || !objects.isEmpty()) {
                boolean all = token == null && objects.size() < limit;
                return new ListPage(objects, all);
            }
        }
    }

    /// A listing may begin at a name, not behind it, so one more is asked for.
    private Objects page(
            String what, String namePrefix, String after, int limit, @Nullable String token) {
        try {
            Storage.Objects.List list =
                    client.objects()
                            .list(place.bucket())
                            .setPrefix(prefix + namePrefix)
                            .setMaxResults(limit + 1L)
                            .setPageToken(token);
            list.setFields("items(name,size),nextPageToken");
            if (!after.isEmpty()) {
                list.setStartOffset(prefix + after);
            }
            return list.execute();
        } catch (IOException failed) {
            throw failures.translate(what, failed);
        }
    }

    private List<StoredObject> objects(String what, Objects answer, String after, int limit) {
        List<StoredObject> objects = new ArrayList<>();
        String before = "";
        List<StorageObject> items = answer.getItems() == null ? List.of() : answer.getItems();
        for (StorageObject each : items) {
            String name = each.getName().substring(prefix.length());
            if (!before.isEmpty() && name.compareTo(before) <= 0) { // "": a folder of a console
                throw failures.disordered(what, before, name);
            }
            before = name;
            if (name.compareTo(after) > 0 && ObjectName.isValid(name) && objects.size() < limit) {
                objects.add(new StoredObject(name, each.getSize().longValueExact()));
            }
        }
        return objects;
    }

    @Override
    public DeleteOutcome delete(String name) {
        String key = prefix + ObjectName.check(name);
        try {
            client.objects().delete(place.bucket(), key).execute();
            return DeleteOutcome.DELETED;
        } catch (IOException failed) {
            if (reads.isAbsent(name, failed)) {
                return DeleteOutcome.ABSENT;
            }
            if (Failures.isKept(failed)) {
                return DeleteOutcome.REFUSED;
            }
            throw failures.translate("cannot delete '" + name + "'", failed);
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE, "cannot close " + place.url(), failed);
        }
    }
}
