package dev.mainstay.storage.remote;

import java.net.URI;
import java.util.Optional;

/// A prefix of a bucket of S3, or of a server that is compatible with it.
///
/// @param prefix what the names of all objects begin with, without the slash that follows; empty
///   for the whole bucket
/// @param region of the bucket; without it what the environment or the profile says
/// @param endpoint of a compatible server; without it that of AWS in the region
/// @param pathStyle the bucket stands in the path of urls, not in the name of the host
public record S3Place(
        String bucket,
        String prefix,
        Optional<String> region,
        Optional<URI> endpoint,
        boolean pathStyle,
        Login login,
        Storing storing,
        Route route)
        implements RemotePlace {
    /// A bucket of AWS by the environment's own settings.
    public static S3Place of(String bucket, String prefix) {
        return new S3Place(
                bucket,
                prefix,
                Optional.empty(),
                Optional.empty(),
                false,
                new Login.Chain(Optional.empty()),
                Storing.AS_THE_BUCKET_SAYS,
                Route.DIRECT);
    }

    @Override
    public String scheme() {
        return "s3";
    }

    @Override
    public String url() {
        return prefix.isEmpty() ? "s3://" + bucket : "s3://" + bucket + "/" + prefix;
    }

    /// Who asks.
    public sealed interface Login {
        /// What the environment, the profile, a web identity or the role of this host give.
        record Chain(Optional<String> profile) implements Login {}

        /// Keys that were given.
        record Keys(String accessKeyId, String secretAccessKey, Optional<String> sessionToken)
                implements Login {
            @Override
            public String toString() {
                return "Keys(hidden)";
            }
        }
    }

    /// How objects are kept.
    ///
    /// @param storageClass as S3 calls it; without it what the bucket says
    /// @param encryption by the server
    public record Storing(Optional<String> storageClass, Optional<Encryption> encryption) {
        public static final Storing AS_THE_BUCKET_SAYS =
                new Storing(Optional.empty(), Optional.empty());
    }

    /// Encryption by the server, beside Mainstay's own.
    public sealed interface Encryption {
        /// With keys of S3.
        record Aes256() implements Encryption {}

        /// @param key of the key service; without it the one that the account has for S3
        record Kms(Optional<String> key) implements Encryption {}
    }
}
