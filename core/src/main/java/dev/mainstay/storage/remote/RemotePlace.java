package dev.mainstay.storage.remote;

import java.net.URI;
import java.util.Optional;

/// Where a store is and how it is reached.
public sealed interface RemotePlace permits S3Place, AzurePlace, GcsPlace {
    /// As in the url: `s3`, `az`, `gs`.
    String scheme();

    /// For messages; without secrets.
    String url();

    /// Where it is not at the provider's own address.
    Optional<URI> endpoint();
}
