package dev.mainstay.storage.gcs;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreProvider;

/// The door to this module.
public final class GcsProvider implements StoreProvider {
    public GcsProvider() {}

    @Override
    public String scheme() {
        return "gs";
    }

    @Override
    public ObjectStore open(RemotePlace place) {
        return switch (place) {
            case GcsPlace gcs -> GcsStore.open(gcs);
            case S3Place other -> throw new IllegalArgumentException(other.url());
            case AzurePlace other -> throw new IllegalArgumentException(other.url());
        };
    }
}
