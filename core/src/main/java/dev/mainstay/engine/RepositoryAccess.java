package dev.mainstay.engine;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.ZstdLibrary;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.local.LocalStore;
import dev.mainstay.storage.remote.RemotePlace;
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
import java.util.Optional;

/// From the configuration's `repository` section to an open repository. The one place that composes
/// a store with its decorators.
public final class RepositoryAccess {
    private RepositoryAccess() {}

    /// Opens the configured repository.
    public static Repository open(RepositorySettings settings, Ground ground) {
        if (settings.place().isPresent()) {
            RemotePlace place = settings.place().get();
            return opened(StoreProvider.of(place).open(place), settings, ground);
        }
        Path folder = folder(settings.url());
        if (!isFolder(folder, settings.url())) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_MISSING, "there is no repository at " + settings.url());
        }
        return opened(LocalStore.open(folder), settings, ground);
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
        ObjectStore store = retrying(newStore(settings));
        Repository.demandNone(store); // or the new key would be taken for that of what is there
        if (settings.place().isPresent()) {
            StoreProbe.demand(store, ground.random());
        }
        if (settings.encrypted()) {
            Credentials.make(settings.requireKey(), ground.random());
        }
        return Repository.create(store, credential(settings), ground);
    }

    /// The place of a copy, which may be empty yet; the caller closes it.
    public static ObjectStore openCopy(RepositorySettings copy, Ground ground) {
        ObjectStore store = retrying(newStore(copy));
        if (copy.place().isPresent() && store.list("", "", 1).objects().isEmpty()) {
            StoreProbe.demand(store, ground.random());
        }
        return store;
    }

    private static ObjectStore newStore(RepositorySettings settings) {
        if (settings.place().isPresent()) {
            RemotePlace place = settings.place().get();
            return StoreProvider.of(place).open(place);
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
