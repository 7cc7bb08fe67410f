package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.RemotePlace;

import java.time.Instant;
import java.util.Optional;

/// The section `repository`.
///
/// @param url where objects are kept, as an object store understands it (`file:///…`)
/// @param key what unwraps the root key; may be left out without encryption
/// @param encrypted on unless the file says `encryption: none`
/// @param zstdLevel from `compression: zstd:N`
/// @param packSize at which a pack is closed and put
/// @param place of a store over the network; without it the url names a folder
/// @param lock what is locked there against removal, and for how long
/// @param asOf when it is to be seen as it was, and only read
public record RepositorySettings(
        String url,
        Optional<KeySource> key,
        boolean encrypted,
        int zstdLevel,
        ByteSize packSize,
        Optional<? extends RemotePlace> place,
        Optional<PlaceLock> lock,
        Optional<Instant> asOf) {
    public static final int DEFAULT_ZSTD_LEVEL = 3;
    public static final ByteSize DEFAULT_PACK_SIZE = ByteSize.mib(64);

    /// Of a repository in a folder.
    public RepositorySettings(
            String url,
            Optional<KeySource> key,
            boolean encrypted,
            int zstdLevel,
            ByteSize packSize) {
        this(
                url,
                key,
                encrypted,
                zstdLevel,
                packSize,
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /// The same, as it was.
    public RepositorySettings asOf(Instant time) {
        return new RepositorySettings(
                url, key, encrypted, zstdLevel, packSize, place, lock, Optional.of(time));
    }

    /// Everything but the place and the key at its default.
    public static RepositorySettings of(String url, KeySource key) {
        return new RepositorySettings(
                url, Optional.of(key), true, DEFAULT_ZSTD_LEVEL, DEFAULT_PACK_SIZE);
    }

    /// @throws MainstayException `KEY_MISSING` if the configuration names no key
    public KeySource requireKey() {
        return key.orElseThrow(
                () ->
                        new MainstayException(
                                ErrorCode.KEY_MISSING,
                                "the configuration names no key for the encrypted repository '"
                                        + url
                                        + "'"));
    }
}
