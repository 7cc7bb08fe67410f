package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.AzurePlace;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

class AzureSectionTest {
    private static final Map<String, String> ENVIRONMENT =
            Map.of("KEY", "tell-nobody", "SAS", "?sv=2026&sig=tell-nobody");

    @TempDir Path folder = Path.of("");

    private RepositorySettings read(String keys) {
        String yaml = "repository:\n" + keys.indent(2);
        return new ConfigurationReader(ENVIRONMENT).parse("m.yaml", yaml, folder).repository();
    }

    private AzurePlace place(String keys) {
        return (AzurePlace) read(keys).place().orElseThrow();
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
        assertThat(place("url: az://account/container/some/prefix/"))
                .isEqualTo(AzurePlace.of("account", "container", "some/prefix"));
        assertThat(place("url: az://account/container"))
                .isEqualTo(AzurePlace.of("account", "container", ""));
        assertThat(place("url: az://account/container/p").url())
                .isEqualTo("az://account/container/p");
    }

    @Test
    void everyKeyIsRead() throws IOException {
        AzurePlace place =
                place(
                        """
                        url: az://account/container/p
                        endpoint: http://127.0.0.1:10000/account
                        allow-http: true
                        account-key: ${KEY}
                        access-tier: cool
                        encryption-scope: scope-1
                        ca-file: ca.pem
                        proxy: http://user:tell-nobody@proxy:3128
                        """);
        assertThat(place.endpoint()).contains(URI.create("http://127.0.0.1:10000/account"));
        assertThat(place.login()).isEqualTo(new AzurePlace.Login.AccountKey("tell-nobody"));
        assertThat(place.storing())
                .isEqualTo(new AzurePlace.Storing(Optional.of("Cool"), Optional.of("scope-1")));
        assertThat(place.route().caFile()).contains(folder.resolve("ca.pem"));
        assertThat(place.toString()).doesNotContain("tell-nobody");
        assertThat(place("url: az://account/container\nsas-token: ${SAS}").login())
                .isEqualTo(new AzurePlace.Login.Sas("sv=2026&sig=tell-nobody"));
        Files.writeString(folder.resolve("text"), "AccountName=account;AccountKey=tell-nobody\n");
        assertThat(place("url: az://account/container\nconnection-string: { file: text }").login())
                .isEqualTo(
                        new AzurePlace.Login.ConnectionString(
                                "AccountName=account;AccountKey=tell-nobody"));
        assertThat(
                        place(
                                        """
                                        url: az://account/container
                                        client-id: 0-1-2
                                        authority-host: https://login.microsoftonline.us
                                        """)
                                .login())
                .isEqualTo(
                        new AzurePlace.Login.Chain(
                                Optional.of("0-1-2"),
                                Optional.of(URI.create("https://login.microsoftonline.us"))));
    }

    @Test
    void plainHttpMustBeAskedForByName() {
        String start = "url: az://account/container\n";
        refused(start + "account-key: k\nendpoint: http://a:1", "endpoint", "allow-http: true");
        refused(start + "endpoint: http://a:1\nallow-http: true", "token of an identity");
        for (String text :
                new String[] {
                    "UseDevelopmentStorage=true",
                    "DefaultEndpointsProtocol=http;AccountName=account;AccountKey=tell-nobody",
                    "BlobEndpoint=http://a/;SharedAccessSignature=tell-nobody"
                }) {
            refused(start + "connection-string: \"" + text + "\"", "unencrypted");
            assertThat(
                            place(start + "connection-string: \"" + text + "\"\nallow-http: true")
                                    .login())
                    .isInstanceOf(AzurePlace.Login.ConnectionString.class);
        }
    }

    @Test
    void oneLoginIsEnough() {
        String start = "url: az://account/container\n";
        refused(start + "account-key: ${KEY}\nsas-token: ${SAS}", "give one of them");
        refused(start + "account-key: ${KEY}\nclient-id: c", "client-id", "give one of them");
        refused(
                start
                        + "connection-string: AccountName=account;AccountKey=${KEY}\n"
                        + "endpoint: https://e",
                "endpoint",
                "cannot stand beside connection-string");
        refused(
                start + "connection-string: AccountName=other;AccountKey=${KEY}",
                "another account than account");
        refused(start + "connection-string: ${KEY}", "is none");
    }

    @Test
    void keysOfOneStoreDoNotBelongToAnother() {
        refused("url: file:///r\naccount-key: k", "belongs to a repository in Azure");
        refused("url: file:///r\nproxy: http://p", "in S3", "or Azure");
        refused("url: s3://bucket/p\nsas-token: ${SAS}", "Azure", "s3://bucket/p");
        refused("url: az://account/container\nregion: r", "belongs to a repository in S3");
    }

    @Test
    void whatCannotWorkIsRefusedAtOnce() {
        refused("url: az://account", "names no account and container");
        refused("url: az:///container", "names no account and container");
        refused("url: az://account/con--tainer", "names no account and container");
        refused("url: az://account/container/a//b", "a prefix is");
        refused("url: az://account/container\naccess-tier: Archive", "thawed");
        refused("url: az://account/container\naccess-tier: warm", "none of Hot, Cool and Cold");
    }
}
