package dev.mainstay.storage.remote;

import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;

/// A prefix of a bucket of Google Cloud Storage.
///
/// @param prefix what the names of all objects begin with, without the slash that follows; empty
///   for the whole bucket
/// @param endpoint of an emulator or a private way; without it Google's own
public record GcsPlace(
        String bucket,
        String prefix,
        Optional<URI> endpoint,
        Login login,
        Storing storing,
        Route route)
        implements RemotePlace {
    /// By the environment's own settings.
    public static GcsPlace of(String bucket, String prefix) {
        return new GcsPlace(
                bucket,
                prefix,
                Optional.empty(),
                new Login.Chain(Optional.empty(), Optional.empty()),
                Storing.AS_THE_BUCKET_SAYS,
                Route.DIRECT);
    }

    @Override
    public String scheme() {
        return "gs";
    }

    @Override
    public String url() {
        return prefix.isEmpty() ? "gs://" + bucket : "gs://" + bucket + "/" + prefix;
    }

    /// Who asks.
    public sealed interface Login {
        /// Application default credentials, or those of a file.
        ///
        /// @param file key of a service account, or how a workload identity is got
        /// @param impersonate e-mail address of the service account in whose name is asked
        record Chain(Optional<Path> file, Optional<String> impersonate) implements Login {}

        /// Nobody, as emulators want it.
        record Nobody() implements Login {}
    }

    /// How objects are kept.
    ///
    /// @param storageClass as Google calls it; without it the bucket's own
    /// @param kmsKey by whose name the server encrypts; without it the bucket's own
    public record Storing(Optional<String> storageClass, Optional<String> kmsKey) {
        public static final Storing AS_THE_BUCKET_SAYS =
                new Storing(Optional.empty(), Optional.empty());
    }
}
