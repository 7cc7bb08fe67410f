package dev.mainstay.storage.remote;

/// Where a store is and how it is reached.
public sealed interface RemotePlace permits S3Place, AzurePlace, GcsPlace {
    /// As in the url: `s3`, `az`, `gs`.
    String scheme();

    /// For messages; without secrets.
    String url();
}
