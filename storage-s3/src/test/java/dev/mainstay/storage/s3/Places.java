package dev.mainstay.storage.s3;

import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.testkit.s3.CephServer;
import dev.mainstay.testkit.s3.S3Server;

import java.net.URI;
import java.util.Optional;

/// Places on servers of tests.
final class Places {
    private Places() {}

    static S3Place on(S3Server server, String bucket, String prefix) {
        return at(
                server.endpoint(),
                bucket,
                prefix,
                new S3Place.Login.Keys(
                        S3Server.ACCESS_KEY_ID, server.secretAccessKey(), Optional.empty()));
    }

    static S3Place on(CephServer server, String bucket, String prefix) {
        return on(server, server.owner(), bucket, prefix);
    }

    static S3Place on(CephServer server, CephServer.User user, String bucket, String prefix) {
        return at(
                server.endpoint(),
                bucket,
                prefix,
                new S3Place.Login.Keys(
                        user.accessKeyId(), user.secretAccessKey(), Optional.empty()));
    }

    static S3Place at(URI endpoint, String bucket, String prefix, S3Place.Login login) {
        return new S3Place(
                bucket,
                prefix,
                Optional.of("us-east-1"),
                Optional.of(endpoint),
                true,
                login,
                S3Place.Storing.AS_THE_BUCKET_SAYS,
                Route.DIRECT);
    }
}
