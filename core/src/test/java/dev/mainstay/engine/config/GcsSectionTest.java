package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.GcsPlace;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

class GcsSectionTest {
    @TempDir Path folder = Path.of("");

    private RepositorySettings read(String keys) {
        String yaml = "repository:\n" + keys.indent(2);
        return new ConfigurationReader(Map.of()).parse("m.yaml", yaml, folder).repository();
    }

    private GcsPlace place(String keys) {
        return (GcsPlace) read(keys).place().orElseThrow();
    }

    private void refused(String keys, String... parts) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> {
                            assertThat(wrong.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
                            assertThat(wrong.getMessage()).contains(parts);
                        });
    }

    @Test
    void aUrlIsEnough() {
        assertThat(place("url: gs://bucket/some/prefix/"))
                .isEqualTo(GcsPlace.of("bucket", "some/prefix"));
        assertThat(place("url: gs://bucket").url()).isEqualTo("gs://bucket");
    }

    @Test
    void everyKeyIsRead() {
        GcsPlace place =
                place(
                        """
                        url: gs://bucket/p
                        credentials-file: key.json
                        impersonate-service-account: writer@project.iam.gserviceaccount.com
                        storage-class: nearline
                        kms-key: projects/p/locations/eu/keyRings/r/cryptoKeys/k
                        ca-file: ca.pem
                        proxy: http://proxy:3128
                        """);
        assertThat(place.login())
                .isEqualTo(
                        new GcsPlace.Login.Chain(
                                Optional.of(folder.resolve("key.json")),
                                Optional.of("writer@project.iam.gserviceaccount.com")));
        assertThat(place.storing())
                .isEqualTo(
                        new GcsPlace.Storing(
                                Optional.of("NEARLINE"),
                                Optional.of("projects/p/locations/eu/keyRings/r/cryptoKeys/k")));
        assertThat(place.route().caFile()).contains(folder.resolve("ca.pem"));
        GcsPlace emulator =
                place("url: gs://bucket\nendpoint: http://e:1\nallow-http: true\nanonymous: true");
        assertThat(emulator.endpoint()).contains(URI.create("http://e:1"));
        assertThat(emulator.login()).isEqualTo(new GcsPlace.Login.Nobody());
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() {
        refused("url: gs:///prefix", "names no bucket");
        refused("url: gs://bucket/a//b", "a prefix is");
        refused("url: gs://bucket\nstorage-class: WARM", "none of STANDARD");
        refused("url: gs://bucket\nanonymous: true", "needs the endpoint");
        refused("url: gs://bucket\nendpoint: http://e:1", "allow-http: true");
        refused("url: gs://bucket\nendpoint: http://e:1\nallow-http: true", "anonymous: true");
        refused(
                "url: gs://bucket\nendpoint: https://e\nanonymous: true\ncredentials-file: f",
                "give one of them");
        refused("url: gs://bucket\nregion: r", "belongs to a repository in S3");
        refused("url: az://account/container\nstorage-class: r", "in S3", "or Google");
    }
}
