package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.LockMode;
import dev.mainstay.storage.remote.PlaceLock;
import dev.mainstay.storage.remote.S3Place;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

class S3SectionTest {
    private static final Map<String, String> ENVIRONMENT =
            Map.of("KEY_ID", "AKIA1", "SECRET", "tell-nobody");

    @TempDir Path folder = Path.of("");

    private RepositorySettings read(String keys) {
        String yaml = "repository:\n" + keys.indent(2);
        return new ConfigurationReader(ENVIRONMENT).parse("m.yaml", yaml, folder).repository();
    }

    private S3Place place(String keys) {
        return (S3Place) read(keys).place().orElseThrow();
    }

    private void refused(String keys, String... parts) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> {
                            assertThat(wrong.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
                            assertThat(wrong.getMessage())
                                    .contains(parts)
                                    .doesNotContain("tell-nobody");
                        });
    }

    @Test
    void aUrlIsEnough() {
        assertThat(place("url: s3://bucket/some/prefix/"))
                .isEqualTo(S3Place.of("bucket", "some/prefix"));
        assertThat(place("url: s3://bucket")).isEqualTo(S3Place.of("bucket", ""));
        assertThat(read("url: file:///r").place()).isEmpty();
    }

    @Test
    void everyKeyIsRead() throws IOException {
        Files.writeString(folder.resolve("token"), "the-token\n");
        S3Place place =
                place(
                        """
                        url: s3://bucket/p
                        region: eu-central-1
                        endpoint: http://minio:9000
                        allow-http: true
                        path-style: true
                        access-key-id: ${KEY_ID}
                        secret-access-key: ${SECRET}
                        session-token: { file: token }
                        storage-class: standard_ia
                        server-side-encryption: { type: aws:kms, kms-key: "arn:key" }
                        ca-file: ca.pem
                        proxy: http://user:tell-nobody@proxy:3128
                        """);
        assertThat(place.region()).contains("eu-central-1");
        assertThat(place.endpoint()).contains(URI.create("http://minio:9000"));
        assertThat(place.pathStyle()).isTrue();
        assertThat(place.login())
                .isEqualTo(
                        new S3Place.Login.Keys("AKIA1", "tell-nobody", Optional.of("the-token")));
        assertThat(place.storing())
                .isEqualTo(
                        new S3Place.Storing(
                                Optional.of("STANDARD_IA"),
                                Optional.of(new S3Place.Encryption.Kms(Optional.of("arn:key")))));
        assertThat(place.route().caFile()).contains(folder.resolve("ca.pem"));
        assertThat(place.toString()).doesNotContain("tell-nobody", "the-token");
        assertThat(place("url: s3://b/p\nserver-side-encryption: AES256").storing().encryption())
                .contains(new S3Place.Encryption.Aes256());
        assertThat(place("url: s3://b/p\nprofile: backup").login())
                .isEqualTo(new S3Place.Login.Chain(Optional.of("backup")));
    }

    @Test
    void plainHttpMustBeAskedForByName() {
        refused("url: s3://b/p\nendpoint: http://minio:9000", "endpoint", "allow-http: true");
        refused("url: s3://b/p\nendpoint: http://minio\nallow-http: false", "unencrypted");
        assertThat(place("url: s3://b/p\nendpoint: https://minio:9000").endpoint()).isPresent();
    }

    @Test
    void locksAreRead() {
        assertThat(read("url: s3://b\nlock: { mode: governance, days: 30 }").lock())
                .contains(new PlaceLock(LockMode.GOVERNANCE, 30, 7));
        assertThat(
                        read("url: s3://b\nlock: { mode: compliance, days: 8, generation-days: 2 }")
                                .lock())
                .contains(new PlaceLock(LockMode.COMPLIANCE, 8, 2));
        assertThat(read("url: s3://b").lock()).isEmpty();
        refused("url: s3://b\nlock: { mode: strict, days: 3 }", "governance and compliance");
        refused("url: s3://b\nlock: { mode: governance }", "needs the key 'days'");
        refused("url: s3://b\nlock: { mode: governance, days: 0 }", "no number from 1");
        refused(
                "url: s3://b\nlock: { mode: governance, days: 3, generation-days: 4 }",
                "no number from 1 to 3");
        refused("url: file:///r\nlock: { mode: governance, days: 3 }", "repository in S3");
    }

    @Test
    void keysOfS3DoNotBelongToAFolder() {
        refused("url: file:///r\nregion: eu-central-1", "repository.region", "file:///r");
        refused("url: file:///r\nsecret-access-key: ${SECRET}", "belongs to a repository in S3");
    }

    @Test
    void halfALoginIsNone() {
        refused("url: s3://b/p\naccess-key-id: ${KEY_ID}", "needs secret-access-key");
        refused("url: s3://b/p\nsecret-access-key: ${SECRET}", "needs access-key-id");
        refused("url: s3://b/p\nsession-token: ${SECRET}", "needs access-key-id and");
        refused(
                "url: s3://b/p\nprofile: x\naccess-key-id: ${KEY_ID}\nsecret-access-key: ${SECRET}",
                "give one of them");
        refused(
                "url: s3://b/p\naccess-key-id: a\nsecret-access-key: { file: none }",
                "cannot read");
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() {
        refused("url: s3:///prefix", "names no bucket");
        refused("url: s3://bucket/a//b", "a prefix is");
        refused("url: s3://bucket/a b", "a prefix is");
        refused("url: s3://b/p\nstorage-class: DEEP_ARCHIVE", "thawed");
        refused("url: s3://b/p\nserver-side-encryption: DES", "none of AES256 and aws:kms");
        refused("url: s3://b/p\nserver-side-encryption: { type: AES256, kms-key: k }", "aws:kms");
        refused("url: s3://b/p\nproxy: user:tell-nobody", "is no url of a server");
        refused("url: s3://b/p\npath-style: maybe", "none of true and false");
    }
}
