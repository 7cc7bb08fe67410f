package dev.mainstay.storage.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.StoreProbe;
import dev.mainstay.testkit.azure.Azurite;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.net.URI;
import java.nio.ByteBuffer;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;

/// Who may what, on Azurite.
final class AzureLoginTest {
    private static final String CONTAINER = "logins";

    private static @Nullable Azurite server;

    @BeforeAll
    static void start() throws Exception {
        server = Azurite.start();
        server.makeContainer(CONTAINER);
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            server.close();
        }
    }

    private static Azurite running() {
        return Objects.requireNonNull(server);
    }

    private static ObjectStore as(AzurePlace.Login login, String prefix) {
        return AzureStore.open(Places.at(running().endpoint(), CONTAINER, prefix, login));
    }

    private static AzurePlace.Login sas(String permissions) {
        return new AzurePlace.Login.Sas(running().sas(CONTAINER, permissions));
    }

    private static ByteBuffer content() {
        return ByteBuffer.wrap(new byte[] {1, 2, 3});
    }

    private static MainstayException failure(Runnable call) {
        MainstayException failure = catchThrowableOfType(MainstayException.class, call::run);
        assertThat(failure).isNotNull();
        assertThat(failure.getMessage() + failure.hint())
                .doesNotContain(running().accountKey(), "sig=");
        return failure;
    }

    @Test
    void keySignatureAndConnectionStringAllOpenTheStore() {
        AzurePlace.Login key = new AzurePlace.Login.AccountKey(running().accountKey());
        AzurePlace byText =
                new AzurePlace(
                        Azurite.ACCOUNT,
                        CONTAINER,
                        "text",
                        Optional.empty(),
                        new AzurePlace.Login.ConnectionString(running().connectionString()),
                        AzurePlace.Storing.AS_THE_ACCOUNT_SAYS,
                        Route.DIRECT);
        try (ObjectStore one = as(key, "key");
                ObjectStore two = as(sas("rlcd"), "sas");
                ObjectStore three = AzureStore.open(byText)) {
            for (ObjectStore each : new ObjectStore[] {one, two, three}) {
                StoreProbe.demand(each, new Random(1));
                assertThat(each.put("a", content())).isEqualTo(PutOutcome.CREATED);
                assertThat(each.get("a", 1, 2)).containsExactly(2, 3);
                assertThat(each.delete("a")).isEqualTo(DeleteOutcome.DELETED);
            }
        }
    }

    @Test
    void aWrongKeyIsToldAtOnce() {
        try (ObjectStore store = as(Places.LOGIN, "wrong")) {
            MainstayException refused = failure(() -> store.put("a", content()));
            assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(refused.getMessage()).contains("az://mainstaytest/logins/wrong", "'a'");
            assertThat(refused.hint()).contains("account-key");
            assertThat(failure(() -> store.size("a")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(failure(() -> store.delete("a")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
        }
    }

    @Test
    void aSignatureForReadingReads() {
        AzurePlace.Login key = new AzurePlace.Login.AccountKey(running().accountKey());
        try (ObjectStore owner = as(key, "read");
                ObjectStore reader = as(sas("rl"), "read")) {
            owner.put("a", content());
            assertThat(reader.get("a", 0, 3)).containsExactly(1, 2, 3);
            assertThat(reader.list("", "", 5).objects()).hasSize(1);
            MainstayException refused = failure(() -> reader.put("b", content()));
            assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(refused.hint()).contains("rlcd");
            assertThat(reader.delete("a")).isEqualTo(DeleteOutcome.REFUSED);
            assertThat(owner.size("a")).contains(3L);
        }
    }

    @Test
    void aSignatureThatIsOverSaysSo() {
        String over =
                running().sas(CONTAINER, "rlcd", OffsetDateTime.now(ZoneOffset.UTC).minusHours(1));
        try (ObjectStore store = as(new AzurePlace.Login.Sas(over), "over")) {
            MainstayException refused = failure(() -> store.get("a", 0, 1));
            assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(refused.hint()).contains("sas-token");
        }
    }

    @Test
    void aContainerThatIsNotThereIsNoMissingObject() {
        AzurePlace.Login key = new AzurePlace.Login.AccountKey(running().accountKey());
        AzurePlace place = Places.at(running().endpoint(), "nowhere", "p", key);
        try (ObjectStore store = AzureStore.open(place)) {
            assertThat(failure(() -> store.size("a")).hint()).contains("make the container 'nowhere'");
            assertThat(failure(() -> store.get("a", 0, 1)).code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(failure(() -> store.put("a", content())).code())
                    .isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(failure(() -> store.list("", "", 1)).hint()).contains("nowhere");
            assertThat(failure(() -> store.delete("a")).hint()).contains("nowhere");
        }
    }

    @Test
    void whereNobodyGivesAnIdentityTheHintSaysWhoCould() {
        AzurePlace place =
                Places.at(
                        URI.create("https://127.0.0.1:1"),
                        CONTAINER,
                        "p",
                        new AzurePlace.Login.Chain(Optional.empty(), Optional.empty()));
        Map<String, String> environment =
                Map.of("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential");
        try (ObjectStore store = AzureStore.open(place, environment, 1 << 20, 5)) {
            MainstayException refused = failure(() -> store.size("a"));
            assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(refused.hint()).contains("AZURE_CLIENT_ID", "az login");
        }
    }

    @Test
    void aLoginThatIsNoneIsRefusedWithoutItsText() {
        for (AzurePlace.Login rubbish :
                new AzurePlace.Login[] {
                    new AzurePlace.Login.AccountKey("no base64: sig="),
                    new AzurePlace.Login.ConnectionString("AccountName=sig=;")
                }) {
            assertThat(failure(() -> as(rubbish, "rubbish")).code())
                    .isEqualTo(ErrorCode.STORE_REFUSED);
        }
    }
}
