package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.RemoteKey;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.S3Place;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

class KeySectionTest {
    private static final String ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab";
    private static final String VAULT = "https://one.vault.azure.net/keys/mainstay";
    private static final String NAME = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";

    @TempDir Path folder = Path.of("");

    private KeySource read(String key) {
        String yaml = "repository:\n  url: file:///r\n  key:\n" + key.indent(4);
        return new ConfigurationReader(Map.of("SECRET", "s3cret"))
                .parse("m.yaml", yaml, folder)
                .repository()
                .requireKey();
    }

    private void refused(String key, String... parts) {
        assertThatThrownBy(() -> read(key))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> {
                            assertThat(wrong.code())
                                    .isIn(ErrorCode.CONFIG_INVALID, ErrorCode.CONFIG_KEY_UNKNOWN);
                            assertThat(wrong.getMessage()).contains(parts);
                        });
    }

    @Test
    void aNameIsEnough() {
        assertThat(read("aws-kms: " + ARN)).isEqualTo(new KeySource.Remote(RemoteKey.Aws.of(ARN)));
        assertThat(read("aws-kms: alias/mainstay"))
                .isEqualTo(new KeySource.Remote(RemoteKey.Aws.of("alias/mainstay")));
        assertThat(read("azure-key-vault: " + VAULT))
                .isEqualTo(
                        new KeySource.Remote(
                                new RemoteKey.Azure(
                                        VAULT,
                                        new AzurePlace.Login.Chain(
                                                Optional.empty(), Optional.empty()),
                                        Route.DIRECT)));
        assertThat(read("gcp-kms: " + NAME))
                .isEqualTo(
                        new KeySource.Remote(
                                new RemoteKey.Google(
                                        NAME,
                                        Optional.empty(),
                                        new GcsPlace.Login.Chain(
                                                Optional.empty(), Optional.empty()),
                                        Route.DIRECT)));
    }

    @Test
    void everyKeyIsRead() {
        assertThat(
                        read(
                                """
                                aws-kms:
                                  key: alias/mainstay
                                  region: eu-west-1
                                  endpoint: https://vpce-1.kms.eu-west-1.vpce.amazonaws.com
                                  access-key-id: AKID
                                  secret-access-key: ${SECRET}
                                  ca-file: ca.pem
                                  proxy: http://proxy:3128
                                """))
                .isEqualTo(
                        new KeySource.Remote(
                                new RemoteKey.Aws(
                                        "alias/mainstay",
                                        Optional.of("eu-west-1"),
                                        Optional.of(
                                                URI.create(
                                                        "https://vpce-1.kms.eu-west-1.vpce.amazonaws.com")),
                                        new S3Place.Login.Keys("AKID", "s3cret", Optional.empty()),
                                        new Route(
                                                Optional.of(folder.resolve("ca.pem")),
                                                Optional.of(URI.create("http://proxy:3128"))))));
        assertThat(
                        read(
                                """
                                gcp-kms:
                                  key: %s
                                  credentials-file: login.json
                                  impersonate-service-account: keys@p.iam.gserviceaccount.com
                                """
                                        .formatted(NAME)))
                .isEqualTo(
                        new KeySource.Remote(
                                new RemoteKey.Google(
                                        NAME,
                                        Optional.empty(),
                                        new GcsPlace.Login.Chain(
                                                Optional.of(folder.resolve("login.json")),
                                                Optional.of("keys@p.iam.gserviceaccount.com")),
                                        Route.DIRECT)));
        assertThat(
                        read(
                                """
                                azure-key-vault:
                                  key: %s
                                  client-id: 1234
                                  authority-host: https://login.microsoftonline.us
                                  proxy: http://proxy:3128
                                """
                                        .formatted(VAULT)))
                .isEqualTo(
                        new KeySource.Remote(
                                new RemoteKey.Azure(
                                        VAULT,
                                        new AzurePlace.Login.Chain(
                                                Optional.of("1234"),
                                                Optional.of(
                                                        URI.create(
                                                                "https://login.microsoftonline.us"))),
                                        new Route(
                                                Optional.empty(),
                                                Optional.of(URI.create("http://proxy:3128"))))));
    }

    @Test
    void whatNamesNoKeyOrIsNotMeantIsRefused() {
        refused("aws-kms: arn:aws:s3:::bucket", "names no key", "alias/NAME");
        refused("gcp-kms: " + NAME + "/cryptoKeyVersions/3", "names no key", "without a version");
        refused("azure-key-vault: " + VAULT + "/0a1b2c", "names no key", "without a version");
        refused("azure-key-vault: http://one.vault.azure.net/keys/k", "names no key");
        refused("azure-key-vault: { key: " + VAULT + ", endpoint: https://kms }", "endpoint");
        refused("aws-kms: { region: eu-west-1 }", "needs the key 'key'");
        refused("aws-kms: { key: alias/a, regoin: eu-west-1 }", "region");
        refused("aws-kms: { key: alias/a, endpoint: 'http://kms' }", "allow-http");
        refused("aws-kms: { key: alias/a, access-key-id: A }", "secret-access-key");
        refused(
                "gcp-kms: { key: " + NAME + ", endpoint: 'http://kms', allow-http: true }",
                "token");
        refused("awskms: " + ARN, "aws-kms");
        refused("aws-kms: " + ARN + "\nfile: k", "needs one of file, passphrase");
    }
}
