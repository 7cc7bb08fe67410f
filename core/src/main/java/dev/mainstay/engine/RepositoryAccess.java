package dev.mainstay.engine;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.LockPolicy;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.ZstdLibrary;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PastStore;
import dev.mainstay.storage.local.LocalStore;
import dev.mainstay.storage.remote.RemotePlace;
import dev.mainstay.storage.remote.StoreFinding;
import dev.mainstay.storage.remote.StoreProbe;
import dev.mainstay.storage.remote.StoreProvider;
import dev.mainstay.storage.wrap.RetryingStore;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// From the configuration's `repository` section to an open repository. The one place that composes
/// a store with its decorators.
public final class RepositoryAccess {
    private RepositoryAccess() {}

    /// Opens the configured repository.
    public static Repository open(RepositorySettings settings, Ground ground) {
        if (settings.place().isPresent() || settings.asOf().isPresent()) {
            return opened(remote(settings, ground), settings, ground);
        }
        return opened(LocalStore.open(existing(settings)), settings, ground);
    }

    private static Path existing(RepositorySettings settings) {
        Path folder = folder(settings.url());
        if (!isFolder(folder, settings.url())) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_MISSING, "there is no repository at " + settings.url());
        }
        return folder;
    }

    /// A store over the network, as it was where the settings say so, and with locks.
    private static ObjectStore remote(RepositorySettings settings, Ground ground) {
        if (settings.asOf().isPresent()) {
            return openPast(settings);
        }
        RemotePlace place = settings.place().orElseThrow();
        StoreProvider provider = StoreProvider.of(place);
        return settings.lock().isPresent()
                ? provider.open(place, LockPolicy.rule(settings.lock().get(), ground.clock()))
                : provider.open(place);
    }

    /// The store as it was at the time of the settings; the caller closes it.
    ///
    /// @throws MainstayException STORE_INCAPABLE where it keeps nothing of the past
    public static PastStore openPast(RepositorySettings settings) {
        Instant time = settings.asOf().orElseThrow();
        if (settings.place().isEmpty()) {
            throw new MainstayException(
                    ErrorCode.STORE_INCAPABLE,
                    "the folder " + settings.url() + " cannot show what was there before",
                    "of the stores that Mainstay speaks to, those in S3 can",
                    null);
        }
        RemotePlace place = settings.place().get();
        return StoreProvider.of(place).openAsOf(place, time, settings.lock().isPresent());
    }

    /// The store as it is, whatever it holds; the caller closes it.
    public static ObjectStore openStore(RepositorySettings settings, Ground ground) {
        return retrying(
                remote(
                        new RepositorySettings(
                                settings.url(),
                                settings.key(),
                                settings.encrypted(),
                                settings.zstdLevel(),
                                settings.packSize(),
                                settings.place(),
                                settings.lock(),
                                Optional.empty()),
                        ground));
    }

    /// The place of a repository or a copy that should be there; the caller closes it.
    ///
    /// @throws MainstayException REPOSITORY_MISSING if the folder is not there
    public static ObjectStore openExisting(RepositorySettings settings, Ground ground) {
        if (settings.place().isPresent()) {
            return openStore(settings, ground);
        }
        return retrying(LocalStore.open(existing(settings)));
    }

    /// What there is to say about where a store over the network keeps its objects.
    public static List<StoreFinding> judge(RepositorySettings settings) {
        if (settings.place().isEmpty()) {
            return List.of();
        }
        RemotePlace place = settings.place().get();
        return StoreProvider.of(place).judge(place, settings.lock());
    }

    /// Demands a place where what is to be locked can be.
    ///
    /// @throws MainstayException STORE_INCAPABLE
    private static void demandLocks(RepositorySettings settings) {
        if (settings.lock().isEmpty()) {
            return;
        }
        for (StoreFinding finding : judge(settings)) {
            if (finding.severity() == StoreFinding.Severity.ERROR) {
                throw new MainstayException(
                        ErrorCode.STORE_INCAPABLE, finding.text(), finding.whatToDo(), null);
            }
        }
    }

    /// Servers are known that take locks and forget them.
    private static Repository demandLocked(Repository repository) {
        Optional<ObjectLocks> locks = repository.store().locks();
        if (locks.isPresent() && locks.get().of("format").isEmpty()) {
            repository.close();
            throw new MainstayException(
                    ErrorCode.STORE_INCAPABLE,
                    repository.store().facts().url()
                            + " was asked to lock an object and did not: nothing in it is"
                            + " protected",
                    "use a server with Object Lock, or leave out repository.lock; what init put"
                            + " is there",
                    null);
        }
        return repository;
    }

    private static Repository opened(ObjectStore bare, RepositorySettings settings, Ground ground) {
        return Repository.open(retrying(bare), credential(settings), ground);
    }

    /// Whether a folder is there. Only where it is proved that nothing is, there is none: `mainstay
    /// init` would not help with anything else.
    private static boolean isFolder(Path folder, String url) {
        try {
            if (Files.readAttributes(folder, BasicFileAttributes.class).isDirectory()) {
                return true;
            }
        } catch (NoSuchFileException missing) {
            return false;
        } catch (IOException unknown) {
            throw new MainstayException(
                    ErrorCode.STORE_UNAVAILABLE,
                    "cannot look at repository.url " + url + ": " + unknown,
                    unknown);
        }
        throw new MainstayException(
                ErrorCode.STORE_REFUSED,
                "repository.url " + url + " is a file, and a repository is a folder",
                "correct repository.url, or move the file away and run 'mainstay init'",
                null);
    }

    /// Creates the configured repository and, where the configuration names one that does not exist
    /// yet, its key file.
    public static Repository create(RepositorySettings settings, Ground ground) {
        ZstdLibrary.load(); // or fail before anything is made
        demandLocks(settings);
        ObjectStore store = retrying(newStore(settings, ground));
        Repository.demandNone(store); // or the new key would be taken for that of what is there
        if (settings.place().isPresent()) {
            StoreProbe.demand(store, ground.random());
        }
        if (settings.encrypted()) {
            Credentials.make(settings.requireKey(), ground.random());
        }
        return demandLocked(Repository.create(store, credential(settings), ground));
    }

    /// The place of a copy, which may be empty yet; the caller closes it.
    public static ObjectStore openCopy(RepositorySettings copy, Ground ground) {
        ObjectStore store = retrying(newStore(copy, ground));
        if (copy.place().isPresent() && store.list("", "", 1).objects().isEmpty()) {
            demandLocks(copy);
            StoreProbe.demand(store, ground.random());
        }
        return store;
    }

    private static ObjectStore newStore(RepositorySettings settings, Ground ground) {
        if (settings.place().isPresent()) {
            return remote(settings, ground);
        }
        Path folder = folder(settings.url());
        isFolder(folder, settings.url());
        return LocalStore.create(folder);
    }

    private static ObjectStore retrying(ObjectStore store) {
        return RetryingStore.of(store, RetryingStore.Patience.USUAL);
    }

    private static Optional<Credential> credential(RepositorySettings settings) {
        if (!settings.encrypted()) {
            return Optional.empty();
        }
        return Optional.of(Credentials.of(settings.requireKey()));
    }

    private static Path folder(String url) {
        try {
            URI uri = new URI(url);
            if ("file".equals(uri.getScheme())
                    && (uri.getHost() == null || uri.getHost().isEmpty())
                    && uri.getPath() != null
                    && uri.getPath().startsWith("/")) {
                return Path.of(uri.getPath());
            }
        } catch (URISyntaxException _) {
            // reported below
        }
        throw new MainstayException(
                ErrorCode.STORE_URL_INVALID, "repository.url '" + url + "' is not understood");
    }
}
