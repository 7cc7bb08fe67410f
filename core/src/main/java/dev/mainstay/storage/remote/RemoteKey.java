package dev.mainstay.storage.remote;

import java.net.URI;
import java.util.Optional;

/// A key in a cloud's key service, which never leaves it, and how the service is reached.
public sealed interface RemoteKey {
    /// What the configuration and the objects it wraps call its kind: `aws-kms`.
    String kind();

    /// Which key; no secret.
    String key();

    /// A symmetric key of AWS KMS.
    ///
    /// @param key its id or ARN, or the name or ARN of an alias
    /// @param region without it the ARN's, or what the environment or the profile says
    /// @param endpoint without it that of AWS in the region
    record Aws(
            String key,
            Optional<String> region,
            Optional<URI> endpoint,
            S3Place.Login login,
            Route route)
            implements RemoteKey {
        /// A key by the environment's own settings.
        public static Aws of(String key) {
            return new Aws(
                    key,
                    Optional.empty(),
                    Optional.empty(),
                    new S3Place.Login.Chain(Optional.empty()),
                    Route.DIRECT);
        }

        @Override
        public String kind() {
            return "aws-kms";
        }
    }

    /// A symmetric key of Google Cloud KMS.
    ///
    /// @param key `projects/P/locations/L/keyRings/R/cryptoKeys/K`
    /// @param endpoint without it Google's own
    record Google(String key, Optional<URI> endpoint, GcsPlace.Login login, Route route)
            implements RemoteKey {
        @Override
        public String kind() {
            return "gcp-kms";
        }
    }

    /// An RSA key of Azure Key Vault.
    ///
    /// @param key `https://VAULT.vault.azure.net/keys/NAME`, without a version
    record Azure(String key, AzurePlace.Login.Chain login, Route route) implements RemoteKey {
        @Override
        public String kind() {
            return "azure-key-vault";
        }
    }
}
