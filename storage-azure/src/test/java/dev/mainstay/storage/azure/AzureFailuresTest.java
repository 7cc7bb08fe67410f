package dev.mainstay.storage.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.StoreProbe;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.StubServer;
import dev.mainstay.testkit.StubServer.Answer;
import dev.mainstay.testkit.azure.Azurite;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// What becomes of answers that no well-behaved server gives on demand: those of a stub, which is no
/// evidence of how the service itself behaves.
final class AzureFailuresTest {
    private static final String SECRET = "dmVyeS1zZWNyZXQtYWNjb3VudC1rZXk=";
    private static final int BLOCK = 8;

    private final StubServer server = new StubServer();
    private final ObjectStore store = open(AzurePlace.Storing.AS_THE_ACCOUNT_SAYS);

    AzureFailuresTest() throws IOException {}

    private ObjectStore open(AzurePlace.Storing storing) {
        AzurePlace plain = Places.at(server.endpoint(), "container", "pre/fix", Places.LOGIN);
        return AzureStore.open(
                new AzurePlace(
                        plain.account(),
                        plain.container(),
                        plain.prefix(),
                        plain.endpoint().map(each -> each.resolve("/" + Azurite.ACCOUNT)),
                        plain.login(),
                        storing,
                        Route.DIRECT),
                Map.of(),
                BLOCK,
                5);
    }

    @AfterEach
    void stop() {
        store.close();
        server.close();
    }

    private static Answer error(int status, String code) {
        Map<String, String> headers = new HashMap<>(Map.of("Content-Type", "application/xml"));
        if (!code.isEmpty()) {
            headers.put("x-ms-error-code", code);
        }
        return StubServer.told(
                status,
                headers,
                "<?xml version=\"1.0\"?><Error><Code>"
                        + code
                        + "</Code><Message>told by a stub</Message></Error>");
    }

    private static Answer created() {
        return StubServer.told(
                201,
                Map.of("ETag", "\"0x8D\"", "Last-Modified", "Sun, 22 Nov 2026 06:00:00 GMT"),
                "");
    }

    private static Answer head(int size) {
        return StubServer.told(
                200, Map.of("ETag", "\"0x8D\"", "x-ms-blob-type", "BlockBlob"), "x".repeat(size));
    }

    private static Answer part(String range, String body) {
        return StubServer.told(
                206, Map.of("ETag", "\"0x8D\"", "Content-Range", range), body);
    }

    private static MainstayException failure(Runnable call) {
        MainstayException failure = catchThrowableOfType(MainstayException.class, call::run);
        assertThat(failure).isNotNull();
        assertThat(failure.getMessage() + failure.hint()).doesNotContain(SECRET);
        return failure;
    }

    private PutOutcome put(String content) {
        return store.put("a/b", ByteBuffer.wrap(content.getBytes(US_ASCII)));
    }

    @ParameterizedTest
    @CsvSource({
        "503, ServerBusy",
        "500, InternalError",
        "500, OperationTimedOut",
        "502, ''",
        "504, ''",
        "429, ''",
        "408, ''",
        "400, Md5Mismatch",
        "409, ContainerBeingDeleted",
    })
    void whatMayBeBetterInAMomentIsWorthARetry(int status, String code) {
        server.answer(error(status, code), error(status, code), error(status, code));
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(failure(() -> store.get("a/b", 0, 1)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(failure(() -> store.list("", "", 1)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(server.requests()).as("the SDK tries nothing again").hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({
        "403, AuthenticationFailed, account-key",
        "403, KeyBasedAuthenticationNotPermitted, takes no keys",
        "404, ContainerNotFound, make the container 'container'",
        "400, InvalidHeaderValue, access-tier",
        "403, KeyVaultEncryptionKeyNotFound, encryption-scope",
        "404, '', repository.endpoint",
        "407, '', repository.proxy",
    })
    void whatSomebodyMustPutRightIsNotTriedAgainAndSaysHow(int status, String code, String hint) {
        server.answer(error(status, code), error(status, code));
        for (MainstayException each :
                new MainstayException[] {
                    failure(() -> put("x")), failure(() -> store.get("a/b", 0, 1))
                }) {
            assertThat(each.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(each.hint()).contains(hint);
            assertThat(each.getMessage())
                    .contains(code, "a/b", "az://mainstaytest/container/pre/fix", "told by a stub");
        }
    }

    @Test
    void anArchivedObjectMustBeRehydrated() {
        server.answer(error(409, "BlobArchived"));
        assertThat(failure(() -> store.get("a/b", 0, 1)).hint()).contains("rehydrated");
    }

    @Test
    void aPutIsConditionalWithLengthAndSum() {
        server.answer(created());
        assertThat(put("content")).isEqualTo(PutOutcome.CREATED);
        StubServer.Request request = server.requests().getFirst();
        assertThat(request.line()).isEqualTo("PUT /mainstaytest/container/pre/fix/a/b");
        assertThat(request.header("If-None-Match")).isEqualTo("*");
        assertThat(request.header("Content-Length")).isEqualTo("7");
        assertThat(request.header("Content-MD5")).isNotEmpty();
        assertThat(request.header("x-ms-blob-type")).isEqualTo("BlockBlob");
        assertThat(new String(request.body(), US_ASCII)).isEqualTo("content");
    }

    @Test
    void tierAndEncryptionAreSentAsConfigured() {
        ObjectStore cold =
                open(new AzurePlace.Storing(Optional.of("Cold"), Optional.of("scope-1")));
        server.answer(created(), error(404, "BlobNotFound"), created(), created(), created());
        cold.put("a", ByteBuffer.allocate(3));
        cold.put("b", ByteBuffer.allocate(BLOCK + 1));
        for (int i : new int[] {0, 4}) { // the put, and the commit of the blocks
            StubServer.Request request = server.requests().get(i);
            assertThat(request.header("x-ms-access-tier")).isEqualTo("Cold");
            assertThat(request.header("x-ms-encryption-scope")).isEqualTo("scope-1");
        }
        assertThat(server.requests().get(2).header("x-ms-encryption-scope")).isEqualTo("scope-1");
    }

    @Test
    void aLargeObjectGoesInBlocksAndTheCommitIsConditional() {
        server.answer(error(404, "BlobNotFound"), created(), created(), created());
        assertThat(put("0123456789")).isEqualTo(PutOutcome.CREATED);
        assertThat(server.requests())
                .extracting(each -> each.line().substring(0, 4) + each.query().split("&", -1)[0])
                .containsExactly("HEAD", "PUT comp=block", "PUT comp=block", "PUT comp=blocklist");
        assertThat(new String(server.requests().get(1).body(), US_ASCII)).isEqualTo("01234567");
        assertThat(server.requests().get(1).header("If-None-Match")).isEmpty();
        assertThat(server.requests().get(3).header("If-None-Match")).isEqualTo("*");
    }

    @Test
    void blocksThatAnotherPutDisposedOfAreNoError() {
        server.answer(error(404, "BlobNotFound"), created(), created());
        server.answer(error(400, "InvalidBlockList"), head(10));
        assertThat(put("0123456789")).isEqualTo(PutOutcome.EXISTED);
        server.answer(error(404, "BlobNotFound"), created(), created());
        server.answer(error(400, "InvalidBlockList"), error(404, "BlobNotFound"));
        assertThat(failure(() -> put("0123456789")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }

    @ParameterizedTest
    @CsvSource({"409, BlobAlreadyExists", "412, ConditionNotMet", "403, UnauthorizedBlobOverwrite"})
    void aNameThatIsTakenIsAnAnswer(int status, String code) {
        server.answer(error(status, code));
        assertThat(put("x")).isEqualTo(PutOutcome.EXISTED);
        assertThat(server.requests()).hasSize(1);
    }

    @Test
    void whereItIsUnclearWhetherANameIsTakenItIsAsked() {
        server.answer(error(409, "BlobImmutableDueToPolicy"), head(3));
        assertThat(put("x")).isEqualTo(PutOutcome.EXISTED);
        server.answer(error(403, "AuthorizationPermissionMismatch"), error(404, "BlobNotFound"));
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
    }

    @Test
    void anAnswerThatEndsEarlyIsNeverTakenForTheObject() {
        server.answer(StubServer.cut("bytes 0-9/10", 10, "01234"));
        assertThat(failure(() -> store.get("a/b", 0, 10)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        server.answer(part("bytes 0-9/10", "01234"));
        assertThat(failure(() -> store.get("a/b", 0, 10)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }

    @Test
    void aServerThatIgnoresTheRangeIsNotBelieved() {
        server.answer(StubServer.told(200, Map.of("ETag", "\"0x8D\""), "0123456789"));
        assertThat(failure(() -> store.get("a/b", 5, 2)).getMessage()).contains("ignores ranges");
        server.answer(StubServer.told(200, Map.of("ETag", "\"0x8D\""), "0123456789"));
        assertThat(failure(() -> store.get("a/b", 0, 2)).getMessage()).contains("ignores ranges");
    }

    @Test
    void aRangeBeyondTheEndIsTooShort() {
        server.answer(error(416, "InvalidRange"), part("bytes 5-6/7", "56"));
        for (int i = 0; i < 2; i++) {
            assertThat(failure(() -> store.get("a/b", 5, 3)).code())
                    .isEqualTo(ErrorCode.STORE_READ_SHORT);
        }
    }

    @Test
    void onlyAnAnswerThatNamesTheObjectProvesThatItIsAbsent() {
        server.answer(error(404, "BlobNotFound"), error(404, ""), error(404, "ContainerNotFound"));
        assertThat(store.size("a/b")).isEmpty();
        assertThat(failure(() -> store.size("a/b")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
        assertThat(failure(() -> store.size("a/b")).hint()).contains("make the container");
    }

    @ParameterizedTest
    @CsvSource({
        "409, BlobImmutableDueToPolicy",
        "409, SnapshotsPresent",
        "412, LeaseIdMissing",
        "403, AuthorizationPermissionMismatch"
    })
    void aDeleteThatIsRefusedIsAnAnswer(int status, String code) {
        server.answer(error(status, code));
        assertThat(store.delete("a/b")).isEqualTo(DeleteOutcome.REFUSED);
    }

    @Test
    void aDeleteByAnUnknownUserIsNone() {
        server.answer(error(403, "AuthenticationFailed"));
        assertThat(failure(() -> store.delete("a/b")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
    }

    private static Answer listed(String marker, String... names) {
        StringBuilder blobs = new StringBuilder();
        for (String name : names) {
            blobs.append("<Blob><Name>pre/fix/")
                    .append(name)
                    .append("</Name><Properties><Content-Length>1</Content-Length>")
                    .append("</Properties></Blob>");
        }
        return StubServer.told(
                200,
                Map.of("Content-Type", "application/xml"),
                "<?xml version=\"1.0\"?><EnumerationResults><Blobs>"
                        + blobs
                        + "</Blobs><NextMarker>"
                        + marker
                        + "</NextMarker></EnumerationResults>");
    }

    @Test
    void whoFollowsThePagesPaysOneRequestEach() {
        server.answer(listed("m1", "a", "b"), listed("m2", "c", "d"), listed("", "e"));
        ListPage first = store.list("", "", 2);
        ListPage second = store.list("", first.next(), 2);
        ListPage third = store.list("", second.next(), 2);
        assertThat(third.last()).isTrue();
        assertThat(third.objects()).hasSize(1);
        assertThat(server.requests()).hasSize(3);
        assertThat(server.requests().get(1).query()).contains("marker=m1", "maxresults=2");
        assertThat(server.requests().get(2).query()).contains("marker=m2", "prefix=pre/fix/");
    }

    @Test
    void aMarkerThatTheServerForgotIsDoneWithout() {
        server.answer(listed("m1", "a", "b"), error(400, "OutOfRangeInput"), listed("", "b", "c"));
        ListPage first = store.list("", "", 2);
        assertThat(store.list("", first.next(), 2).objects())
                .extracting(each -> each.name())
                .containsExactly("c");
    }

    @Test
    void aListingInAnotherOrderIsNotBelieved() {
        server.answer(listed("", "a/b", "a-b"));
        MainstayException unfit = failure(() -> store.list("", "", 9));
        assertThat(unfit.code()).isEqualTo(ErrorCode.STORE_INCAPABLE);
        assertThat(unfit.hint()).contains("hierarchical namespace");
    }

    @Test
    void aConnectionThatIsResetIsWorthARetry() {
        server.answer(StubServer.reset(), StubServer.reset());
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(server.requests()).as("nothing but our layer sends a put again").hasSize(1);
    }

    @Test
    void aServerThatIsGoneIsWorthARetry() {
        server.close();
        assertThat(failure(() -> store.size("a/b")).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }

    @Test
    void aPutWhoseAnswerWasLostIsFoundToBeOurs() {
        ObjectStore insisting =
                RetryingStore.of(
                        store,
                        new RetryingStore.Patience(Duration.ofMillis(1), Duration.ofMillis(9), 5));
        for (String there : new String[] {"ours", "them"}) {
            server.answer(
                    StubServer.reset(), // it happened, and nobody heard of it
                    error(409, "BlobAlreadyExists"),
                    head(4),
                    part("bytes 0-3/4", there));
            assertThat(insisting.put("a/b", ByteBuffer.wrap("ours".getBytes(US_ASCII))))
                    .isEqualTo(there.equals("ours") ? PutOutcome.CREATED : PutOutcome.EXISTED);
        }
    }

    @Test
    void aServerThatIgnoresConditionsIsUnfitForARepository() {
        Answer deleted = StubServer.told(202, Map.of(), "");
        server.answerAllWith(
                exchange ->
                        (exchange.getRequestMethod().equals("DELETE") ? deleted : created())
                                .to(exchange));
        MainstayException unfit = failure(() -> StoreProbe.demand(openWhole(), new Random(1)));
        assertThat(unfit.code()).isEqualTo(ErrorCode.STORE_INCAPABLE);
        assertThat(unfit.getMessage()).contains("az://mainstaytest/container/p", "If-None-Match");
    }

    private ObjectStore openWhole() {
        return AzureStore.open(
                Places.at(
                        server.endpoint().resolve("/" + Azurite.ACCOUNT),
                        "container",
                        "p",
                        Places.LOGIN));
    }
}
