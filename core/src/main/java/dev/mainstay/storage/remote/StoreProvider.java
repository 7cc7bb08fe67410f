package dev.mainstay.storage.remote;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PastStore;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/// What a module brings that speaks to a kind of store: a service by this type.
public interface StoreProvider {
    /// What urls of its stores begin with: `s3`.
    String scheme();

    /// Opens a store; asks it nothing yet. Whoever makes a repository in it calls
    /// [StoreProbe#demand] first.
    ObjectStore open(RemotePlace place);

    /// Opens a store that locks what it puts by a rule, and takes the first version of a name for
    /// the object, so that nobody replaces one by putting over it.
    ///
    /// @throws MainstayException STORE_INCAPABLE where this kind of store cannot
    default ObjectStore open(RemotePlace place, LockRule rule) {
        throw incapable(place, "lock objects");
    }

    /// Opens a store as it was.
    ///
    /// @param time by the store's clock
    /// @param firstCounts of several versions without a delete between them the first is the
    ///   object, as in a store that was opened with a rule; else the last one is
    /// @throws MainstayException STORE_INCAPABLE where this kind of store cannot
    default PastStore openAsOf(RemotePlace place, Instant time, boolean firstCounts) {
        throw incapable(place, "show what was there before");
    }

    /// Looks at where a store keeps its objects, and changes nothing.
    ///
    /// @param lock what is to be locked there
    default List<StoreFinding> judge(RemotePlace place, Optional<PlaceLock> lock) {
        return List.of();
    }

    private static MainstayException incapable(RemotePlace place, String what) {
        return new MainstayException(
                ErrorCode.STORE_INCAPABLE,
                "the store " + place.url() + " cannot " + what,
                "of the stores that Mainstay speaks to, those in S3 can",
                null);
    }

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
