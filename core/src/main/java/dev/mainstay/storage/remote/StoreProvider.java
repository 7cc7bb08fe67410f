package dev.mainstay.storage.remote;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.ObjectStore;

import java.util.ServiceLoader;

/// What a module brings that speaks to a kind of store: a service by this type.
public interface StoreProvider {
    /// What urls of its stores begin with: `s3`.
    String scheme();

    /// Opens a store; asks it nothing yet. Whoever makes a repository in it calls
    /// [StoreProbe#demand] first.
    ObjectStore open(RemotePlace place);

    /// The provider of stores like this one.
    static StoreProvider of(RemotePlace place) {
        for (StoreProvider provider : ServiceLoader.load(StoreProvider.class)) {
            if (provider.scheme().equals(place.scheme())) {
                return provider;
            }
        }
        throw new MainstayException(
                ErrorCode.STORE_URL_INVALID,
                "this program has no module for '" + place.url() + "'",
                "install Mainstay as a whole",
                null);
    }
}
