package dev.mainstay.storage.azure;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreProvider;

/// The door to this module.
public final class AzureProvider implements StoreProvider {
    public AzureProvider() {}

    @Override
    public String scheme() {
        return "az";
    }

    @Override
    public ObjectStore open(RemotePlace place) {
        return switch (place) {
            case AzurePlace azure -> AzureStore.open(azure);
            case S3Place other -> throw new IllegalArgumentException(other.url());
            case GcsPlace other -> throw new IllegalArgumentException(other.url());
        };
    }
}
