package dev.mainstay.cli;

import dev.mainstay.repository.format.Json;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.s3.CephServer;

import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;
import software.amazon.awssdk.services.s3.model.LifecycleRule;
import software.amazon.awssdk.services.s3.model.ObjectVersion;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A cluster with its repository in a bucket with versions and Object Lock on a gateway of Ceph,
/// and users with the rights of `deploy/cloud/s3`.
final class LockedSite implements AutoCloseable {
    static final String PREFIX = "some/where";

    private static final Path DEPLOYED = Path.of("..", "deploy", "cloud", "s3");

    final CephServer server = CephServer.assume();
    final String bucket = server.makeLockedBucket();
    final CephServer.User writer = server.user("writer");
    final CephServer.User collector = server.user("collector");
    final CephServer.User reader = server.user("reader");
    final TestCluster cluster;
    final CommandSite site;

    LockedSite() throws IOException {
        cluster = TestCluster.create(15, ClusterOptions.standard().withWalSegmentMib(1));
        site = CommandSite.of(cluster);
        site.grant();
        cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 20000) AS i");
        try (S3Client owner = server.client(server.owner())) {
            String policy =
                    "{\"Version\": \"2012-10-17\", \"Statement\": ["
                            + statements("writer.json", writer)
                            + ","
                            + statements("collector.json", collector)
                            + ","
                            + statements("reader.json", reader)
                            + ","
                            + everything(server.owner())
                            + "]}";
            owner.putBucketPolicy(request -> request.bucket(bucket).policy(policy));
        }
    }

    /// As an administrator would, but for the principal, which identities have by themselves.
    private String statements(String file, CephServer.User user) throws IOException {
        String text = Files.readString(DEPLOYED.resolve(file));
        String principal =
                "\"Principal\": {\"AWS\": [\"arn:aws:iam:::user/" + user.accessKeyId() + "\"]},";
        return text.substring(
                        text.indexOf('[', text.indexOf("\"Statement\"")) + 1, text.lastIndexOf(']'))
                .replace("BUCKET", bucket)
                .replace("PREFIX", PREFIX)
                .replace("DAYS", "40")
                .replaceAll("(\"Effect\": \"\\w+\",)", "$1 " + principal);
    }

    /// Puts `lifecycle.json` on the bucket, as `aws s3api` would.
    void expireLeftovers() throws IOException {
        Json file =
                Json.parse(
                        "lifecycle.json", Files.readAllBytes(DEPLOYED.resolve("lifecycle.json")));
        List<LifecycleRule> rules = file.objects("Rules").stream().map(LockedSite::rule).toList();
        try (S3Client owner = server.client(server.owner())) {
            owner.putBucketLifecycleConfiguration(
                    request ->
                            request.bucket(bucket).lifecycleConfiguration(all -> all.rules(rules)));
        }
    }

    private static LifecycleRule rule(Json rule) {
        return LifecycleRule.builder()
                .id(rule.string("ID"))
                .status(rule.string("Status"))
                .filter(
                        filter ->
                                filter.prefix(
                                        rule.object("Filter")
                                                .string("Prefix")
                                                .replace("PREFIX", PREFIX)))
                .noncurrentVersionExpiration(
                        gone ->
                                gone.noncurrentDays(
                                        (int)
                                                rule.object("NoncurrentVersionExpiration")
                                                        .number("NoncurrentDays")))
                .expiration(
                        marker ->
                                marker.expiredObjectDeleteMarker(
                                        rule.object("Expiration")
                                                .bool("ExpiredObjectDeleteMarker")))
                .build();
    }

    /// On Ceph an object belongs to who put it, and the bucket's owner may not even read it.
    private String everything(CephServer.User user) {
        return """
        {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/%s"]},
         "Action": "s3:*", "Resource": ["arn:aws:s3:::%s", "arn:aws:s3:::%s/*"]}
        """
                .formatted(user.accessKeyId(), bucket, bucket);
    }

    String url() {
        return "s3://" + bucket + "/" + PREFIX;
    }

    /// @param lock the key of the section, or nothing
    void configure(CephServer.User user, String lock, String retention) throws IOException {
        Files.writeString(
                site.path("mainstay.yaml"),
                """
                repository:
                  url: %s
                  endpoint: %s
                  allow-http: true
                  path-style: true
                  access-key-id: %s
                  secret-access-key: %s
                  key: { file: %s }
                  compression: zstd:1
                  %s
                %s
                sources:
                """
                                .formatted(
                                        url(),
                                        server.endpoint(),
                                        user.accessKeyId(),
                                        user.secretAccessKey(),
                                        site.path("s3.key"),
                                        lock,
                                        retention)
                        + site.source("orders", cluster.port()));
    }

    /// Two backups, with WAL between.
    void backUpTwice() {
        try (CommandSite.Receiving _ = site.receive()) {
            site.run("backup", "orders").exits(0).says("full");
            cluster.sql("UPDATE t SET i = -i WHERE i < 100");
            site.run("backup", "orders").exits(0).says("incremental");
        }
    }

    /// All versions in the bucket, newest first for each key.
    List<ObjectVersion> versions() {
        try (S3Client owner = server.client(server.owner())) {
            return owner.listObjectVersionsPaginator(request -> request.bucket(bucket)).stream()
                    .flatMap(page -> page.versions().stream())
                    .toList();
        }
    }

    List<DeleteMarkerEntry> markers() {
        try (S3Client owner = server.client(server.owner())) {
            return owner.listObjectVersionsPaginator(request -> request.bucket(bucket)).stream()
                    .flatMap(page -> page.deleteMarkers().stream())
                    .toList();
        }
    }

    /// The names of the objects of a kind.
    List<String> names(String kind) {
        return versions().stream()
                .map(ObjectVersion::key)
                .filter(key -> key.startsWith(PREFIX + "/" + kind))
                .map(key -> key.substring(PREFIX.length() + 1))
                .collect(Collectors.toCollection(TreeSet::new))
                .stream()
                .toList();
    }

    static String key(String name) {
        return PREFIX + "/" + name;
    }

    static void put(S3Client as, String bucket, String key, String content) {
        as.putObject(request -> request.bucket(bucket).key(key), RequestBody.fromString(content));
    }

    /// What a server answers to what it must refuse; 0 if it did it.
    static int status(Runnable call) {
        try {
            call.run();
            return 0;
        } catch (S3Exception answered) {
            return answered.statusCode();
        }
    }

    /// Files below `base`, which no recovery setting touches.
    static SortedMap<String, List<Byte>> content(Path directory) throws IOException {
        TreeMap<String, List<Byte>> content = new TreeMap<>();
        try (Stream<Path> all = Files.walk(directory.resolve("base"))) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                List<Byte> bytes = new ArrayList<>();
                for (byte each : Files.readAllBytes(file)) {
                    bytes.add(each);
                }
                content.put(directory.relativize(file).toString(), bytes);
            }
        }
        return content;
    }

    @Override
    public void close() {
        site.close();
        cluster.close();
    }
}
