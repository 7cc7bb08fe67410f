package dev.mainstay.storage.gcs;

import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.Route;

import java.net.URI;
import java.util.Optional;

/// Places on servers of tests.
final class Places {
    private Places() {}

    static GcsPlace at(URI endpoint, String bucket, String prefix) {
        return at(endpoint, bucket, prefix, GcsPlace.Storing.AS_THE_BUCKET_SAYS, Route.DIRECT);
    }

    static GcsPlace at(
            URI endpoint, String bucket, String prefix, GcsPlace.Storing storing, Route route) {
        return new GcsPlace(
                bucket,
                prefix,
                Optional.of(endpoint),
                new GcsPlace.Login.Nobody(),
                storing,
                route);
    }
}
