package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.remote.ByteRanges;
import dev.mainstay.storage.remote.S3Place;

import org.jspecify.annotations.Nullable;

import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsRequest;
import software.amazon.awssdk.services.s3.model.ListObjectVersionsResponse;
import software.amazon.awssdk.services.s3.model.ObjectVersion;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/// Reads a bucket with versions: which version of each key is the object ([KeyHistory]), at present
/// or at some time before.
///
/// Versions that were found are remembered, since none ever changes: ranges of an object are read
/// without asking again which one it is. So an object that somebody else deleted meanwhile may
/// still be read. Whether one is there is always asked.
final class S3Versions {
    private static final int MOST_KEYS = 1000;
    private static final int FEW = 20;
    private static final int REMEMBERED = 20_000;

    private final S3Client client;
    private final S3Place place;
    private final S3Reads reads;
    private final Failures failures;
    private final String prefix;
    private final Instant time;
    private final boolean first;
    private final Map<String, ObjectVersion> remembered =
            new LinkedHashMap<>(16, 0.75f, true) {
                @Override
                protected boolean removeEldestEntry(Map.Entry<String, ObjectVersion> eldest) {
                    return size() > REMEMBERED;
                }
            };

    /// @param time at which; [Instant#MAX] for the present
    /// @param first whether the first version since the newest delete marker counts, or the last
    S3Versions(S3Client client, S3Place place, Failures failures, Instant time, boolean first) {
        this.client = client;
        this.place = place;
        this.reads = new S3Reads(client, place.bucket(), failures);
        this.failures = failures;
        this.prefix = place.prefix().isEmpty() ? "" : place.prefix() + "/";
        this.time = time;
        this.first = first;
    }

    String key(String name) {
        return prefix + ObjectName.check(name);
    }

    /// The version that is the object.
    Optional<ObjectVersion> find(String name) {
        Optional<ObjectVersion> found = object(key(name), history(name));
        synchronized (remembered) {
            if (found.isPresent()) {
                remembered.put(name, found.get());
            } else {
                remembered.remove(name);
            }
        }
        return found;
    }

    private Optional<ObjectVersion> object(String key, KeyHistory history) {
        return objectAt(time, key, history);
    }

    private Optional<ObjectVersion> objectAt(Instant at, String key, KeyHistory history) {
        return history.objectAt(at, first, marker -> olderThan(key, marker));
    }

    void forget(String name) {
        synchronized (remembered) {
            remembered.remove(name);
        }
    }

    private Optional<ObjectVersion> remembered(String name) {
        synchronized (remembered) {
            return Optional.ofNullable(remembered.get(name));
        }
    }

    /// @throws MainstayException STORE_OBJECT_MISSING
    ObjectVersion demand(String name) {
        return remembered(name)
                .or(() -> find(name))
                .orElseThrow(
                        () ->
                                ByteRanges.missing(name, null));
    }

    byte[] get(String name, long offset, int length) {
        if (offset < 0 || length < 0) {
            throw new IllegalArgumentException("negative range: " + offset + ", " + length);
        }
        boolean known = remembered(ObjectName.check(name)).isPresent();
        ObjectVersion version = demand(name);
        if (offset > version.size() - length) {
            throw ByteRanges.tooShort(name, Optional.of(version.size()), offset, length);
        }
        if (length == 0) {
            return new byte[0];
        }
        try {
            return reads.range(name, key(name), version.versionId(), offset, length);
        } catch (MainstayException gone) {
            if (!known || gone.code() != ErrorCode.STORE_OBJECT_MISSING) {
                throw gone;
            }
            forget(name); // a lifecycle rule removed the version; another may be the object now
            return get(name, offset, length);
        }
    }

    Optional<Long> size(String name) {
        return find(name).map(ObjectVersion::size);
    }

    /// All that is kept of a name.
    KeyHistory history(String name) {
        String key = key(name);
        KeyHistory history = new KeyHistory();
        String keyMarker = null;
        String versionMarker = null;
        while (true) {
            ListObjectVersionsResponse page = page(key, keyMarker, versionMarker, FEW);
            page.versions().stream()
                    .filter(each -> each.key().equals(key))
                    .forEach(history::add);
            page.deleteMarkers().stream()
                    .filter(each -> each.key().equals(key))
                    .forEach(history::add);
            if (!isTruncated(page) || !key.equals(page.nextKeyMarker())) {
                return history;
            }
            keyMarker = page.nextKeyMarker();
            versionMarker = page.nextVersionIdMarker();
        }
    }

    private static boolean isTruncated(ListObjectVersionsResponse page) {
        return Boolean.TRUE.equals(page.isTruncated());
    }

    private Set<String> olderThan(String key, DeleteMarkerEntry marker) {
        KeyHistory older = new KeyHistory();
        String keyMarker = key;
        String versionMarker = marker.versionId();
        while (true) {
            ListObjectVersionsResponse page = page(key, keyMarker, versionMarker, MOST_KEYS);
            page.versions().stream().filter(each -> each.key().equals(key)).forEach(older::add);
            if (!isTruncated(page) || !key.equals(page.nextKeyMarker())) {
                return older.versionIds();
            }
            keyMarker = page.nextKeyMarker();
            versionMarker = page.nextVersionIdMarker();
        }
    }

    private ListObjectVersionsResponse page(
            String keyPrefix, @Nullable String keyMarker, @Nullable String versionMarker, int most) {
        ListObjectVersionsRequest.Builder request =
                ListObjectVersionsRequest.builder()
                        .bucket(place.bucket())
                        .prefix(keyPrefix)
                        .maxKeys(most);
        if (keyMarker != null) {
            request.keyMarker(keyMarker).versionIdMarker(versionMarker);
        }
        try {
            return client.listObjectVersions(request.build());
        } catch (SdkException failed) {
            throw failures.translate("cannot list the versions of '" + keyPrefix + "'", failed);
        }
    }

    /// As [dev.mainstay.storage.ObjectStore#list].
    ListPage list(String namePrefix, String after, int limit) {
        return list(namePrefix, after, limit, this::object);
    }

    /// Objects at the time of this that are not the objects of their names at present.
    void forEachHidden(String namePrefix, Consumer<StoredObject> each) {
        String after = "";
        while (true) {
            ListPage page = list(namePrefix, after, MOST_KEYS, this::hidden);
            page.objects().forEach(each);
            if (page.last() || page.objects().isEmpty()) {
                return;
            }
            after = page.objects().getLast().name();
        }
    }

    private Optional<ObjectVersion> hidden(String key, KeyHistory history) {
        Optional<String> now =
                objectAt(Instant.MAX, key, history).map(ObjectVersion::versionId);
        return object(key, history).filter(then -> !now.equals(Optional.of(then.versionId())));
    }

    private ListPage list(
            String namePrefix,
            String after,
            int limit,
            BiFunction<String, KeyHistory, Optional<ObjectVersion>> choice) {
        ObjectName.checkPrefix(namePrefix);
        if (limit < 1) {
            throw new IllegalArgumentException("limit " + limit);
        }
        TreeMap<String, KeyHistory> open = new TreeMap<>();
        List<StoredObject> found = new ArrayList<>();
        String begin = after.isEmpty() ? "" : prefix + after;
        String keyMarker = after.isEmpty() ? null : begin;
        String versionMarker = null;
        int most = Math.min(MOST_KEYS, Math.max(FEW, 2 * limit));
        while (true) {
            ListObjectVersionsResponse page =
                    page(prefix + namePrefix, keyMarker, versionMarker, most);
            page.versions().forEach(each -> history(open, each.key()).add(each));
            page.deleteMarkers().forEach(each -> history(open, each.key()).add(each));
            boolean last = !isTruncated(page);
            while (!open.isEmpty() && (last || !open.firstKey().equals(page.nextKeyMarker()))) {
                if (found.size() == limit) {
                    return new ListPage(found, false);
                }
                Map.Entry<String, KeyHistory> next = open.pollFirstEntry();
                if (next.getKey().compareTo(begin) > 0) { // Ceph lists the marker itself, too
                    take(next.getKey(), next.getValue(), choice).ifPresent(found::add);
                }
            }
            if (last || found.size() == limit) {
                return new ListPage(found, last);
            }
            keyMarker = page.nextKeyMarker();
            versionMarker = page.nextVersionIdMarker();
        }
    }

    private static KeyHistory history(Map<String, KeyHistory> open, String key) {
        return open.computeIfAbsent(key, _ -> new KeyHistory());
    }

    /// Names that no object of ours can have, such as the empty `folder/` that consoles put, are
    /// left out.
    private Optional<StoredObject> take(
            String key,
            KeyHistory history,
            BiFunction<String, KeyHistory, Optional<ObjectVersion>> choice) {
        String name = key.substring(prefix.length());
        Optional<ObjectVersion> object =
                ObjectName.isValid(name) ? choice.apply(key, history) : Optional.empty();
        object.ifPresent(
                version -> {
                    synchronized (remembered) {
                        remembered.put(name, version);
                    }
                });
        return object.map(version -> new StoredObject(name, version.size()));
    }
}
