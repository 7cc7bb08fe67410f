package dev.mainstay.storage.s3;

import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreProvider;

/// The door to this module.
public final class S3Provider implements StoreProvider {
    public S3Provider() {}

    @Override
    public String scheme() {
        return "s3";
    }

    @Override
    public ObjectStore open(RemotePlace place) {
        return switch (place) {
            case S3Place s3 -> S3Store.open(s3);
        };
    }
}
