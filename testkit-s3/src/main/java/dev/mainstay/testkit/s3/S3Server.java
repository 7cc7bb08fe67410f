package dev.mainstay.testkit.s3;

import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.nio2blob.FilesystemNio2BlobStore;

import java.net.URI;
import java.nio.file.Path;
import java.util.UUID;

/// S3Proxy in this process, on a free port of this host, with its objects in a folder: it checks
/// signatures and heeds `If-None-Match`. It knows no versions, no locks, no encryption.
public final class S3Server implements AutoCloseable {
    public static final String ACCESS_KEY_ID = "mainstay-test";

    private static final int SKEW_SECONDS = 15 * 60;

    private final S3Proxy proxy;
    private final BlobStore objects;
    private final String secret = UUID.randomUUID().toString();

    private S3Server(Path folder) {
        this.objects = new FilesystemNio2BlobStore(folder.toString());
        this.proxy =
                S3Proxy.builder()
                        .endpoint(URI.create("http://127.0.0.1:0"))
                        .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCESS_KEY_ID, secret)
                        .maximumTimeSkew(SKEW_SECONDS)
                        .v4MaxNonChunkedRequestSize(256L << 20)
                        .blobStore(objects)
                        .build();
    }

    /// Starts a server without buckets.
    ///
    /// @param folder for its objects
    public static S3Server start(Path folder) throws Exception {
        S3Server server = new S3Server(folder);
        server.proxy.start();
        return server;
    }

    public void makeBucket(String name) {
        objects.createContainer(name);
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + proxy.getPort());
    }

    public String secretAccessKey() {
        return secret;
    }

    @Override
    public void close() {
        try {
            proxy.stop();
        } catch (Exception failed) {
            throw new IllegalStateException("S3Proxy does not stop", failed);
        }
    }
}
