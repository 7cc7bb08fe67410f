package dev.mainstay.storage.s3;

import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PastStore;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreFinding;
import dev.mainstay.storage.remote.StoreProvider;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// The door to this module.
public final class S3Provider implements StoreProvider {
    public S3Provider() {}

    @Override
    public String scheme() {
        return "s3";
    }

    @Override
    public ObjectStore open(RemotePlace place) {
        return S3Store.open(own(place));
    }

    @Override
    public ObjectStore open(RemotePlace place, LockRule rule) {
        return S3LockedStore.open(own(place), rule);
    }

    @Override
    public PastStore openAsOf(RemotePlace place, Instant time, boolean firstCounts) {
        return S3PastStore.open(own(place), time, firstCounts);
    }

    @Override
    public List<StoreFinding> judge(RemotePlace place, Optional<PlaceLock> lock) {
        return S3Bucket.judge(own(place), lock);
    }

    private static S3Place own(RemotePlace place) {
        return switch (place) {
            case S3Place s3 -> s3;
            case AzurePlace other -> throw new IllegalArgumentException(other.url());
            case GcsPlace other -> throw new IllegalArgumentException(other.url());
        };
    }
}
