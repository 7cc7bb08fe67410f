package dev.mainstay.storage.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.S3Place;
import dev.mainstay.storage.remote.StoreProbe;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.StubServer;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;

/// What becomes of answers that no well-behaved server gives on demand: those of a stub, which is no
/// evidence of how the service itself behaves.
final class S3FailuresTest {
    private static final String SECRET = "very-secret-access-key";
    private static final S3Place.Login LOGIN =
            new S3Place.Login.Keys("id", SECRET, Optional.empty());

    private StubServer server = new StubServer();
    private ObjectStore store = S3Store.open(place(server.endpoint()));

    S3FailuresTest() throws IOException {}

    private static S3Place place(URI endpoint) {
        return Places.at(endpoint, "bucket", "pre/fix", LOGIN);
    }

    @BeforeEach
    void forgetRequests() {
        server.requests().clear();
    }

    @AfterEach
    void stop() {
        store.close();
        server.close();
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
        "503, SlowDown",
        "429, TooManyRequests",
        "500, InternalError",
        "502, BadGateway",
        "504, GatewayTimeout",
        "400, RequestTimeout",
        "400, BadDigest",
        "409, ConditionalRequestConflict",
        "409, OperationAborted",
    })
    void whatMayBeBetterInAMomentIsWorthARetry(int status, String code) {
        server.answer(StubServer.error(status, code));
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        server.answer(StubServer.error(status, code));
        assertThat(failure(() -> store.get("a/b", 0, 1)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(server.requests()).as("the SDK tries nothing again").hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({
        "403, AccessDenied, s3:PutObject",
        "403, InvalidAccessKeyId, access-key-id",
        "403, SignatureDoesNotMatch, secret-access-key",
        "403, RequestTimeTooSkewed, clock",
        "400, ExpiredToken, session token",
        "404, NoSuchBucket, make the bucket 'bucket'",
        "301, PermanentRedirect, repository.region",
        "400, AuthorizationHeaderMalformed, repository.region",
        "400, InvalidStorageClass, storage-class",
        "403, InvalidObjectState, thawed",
        "501, NotImplemented, another server",
    })
    void whatSomebodyMustPutRightIsNotTriedAgainAndSaysHow(int status, String code, String hint) {
        server.answer(StubServer.error(status, code));
        MainstayException putting = failure(() -> put("x"));
        server.answer(StubServer.error(status, code));
        MainstayException reading = failure(() -> store.get("a/b", 0, 1));
        for (MainstayException each : new MainstayException[] {putting, reading}) {
            assertThat(each.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(each.hint()).contains(hint);
            assertThat(each.getMessage()).contains(code, "a/b", "s3://bucket/pre/fix");
        }
    }

    @Test
    void aFullStoreSaysSo() {
        server.answer(StubServer.error(403, "QuotaExceeded"));
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_FULL);
    }

    @Test
    void aPutIsConditionalWithLengthAndSum() {
        server.answer(StubServer.ok(""));
        assertThat(put("content")).isEqualTo(PutOutcome.CREATED);
        StubServer.Request request = server.requests().getFirst();
        assertThat(request.line()).isEqualTo("PUT /bucket/pre/fix/a/b");
        assertThat(request.header("If-None-Match")).isEqualTo("*");
        assertThat(request.header("Content-Length")).isEqualTo("7");
        assertThat(request.header("x-amz-checksum-crc32c")).isNotEmpty();
        assertThat(new String(request.body(), US_ASCII)).isEqualTo("content");
    }

    @Test
    void aNameThatIsTakenIsAnAnswer() {
        server.answer(StubServer.error(412, "PreconditionFailed"));
        assertThat(put("x")).isEqualTo(PutOutcome.EXISTED);
    }

    @Test
    void classAndEncryptionAreSentAsConfigured() {
        S3Place plain = place(server.endpoint());
        S3Place kms =
                new S3Place(
                        plain.bucket(),
                        "",
                        plain.region(),
                        plain.endpoint(),
                        true,
                        LOGIN,
                        new S3Place.Storing(
                                Optional.of("STANDARD_IA"),
                                Optional.of(new S3Place.Encryption.Kms(Optional.of("key-1")))),
                        Route.DIRECT);
        try (ObjectStore other = S3Store.open(kms)) {
            server.answer(StubServer.ok(""));
            other.put("a", ByteBuffer.allocate(3));
        }
        StubServer.Request request = server.requests().getFirst();
        assertThat(request.line()).isEqualTo("PUT /bucket/a");
        assertThat(request.header("x-amz-storage-class")).isEqualTo("STANDARD_IA");
        assertThat(request.header("x-amz-server-side-encryption")).isEqualTo("aws:kms");
        assertThat(request.header("x-amz-server-side-encryption-aws-kms-key-id"))
                .isEqualTo("key-1");
    }

    @Test
    void anAnswerThatEndsEarlyIsNeverTakenForTheObject() {
        server.answer(StubServer.cut("bytes 0-9/10", 10, "01234"));
        assertThat(failure(() -> store.get("a/b", 0, 10)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }

    @Test
    void aServerThatIgnoresTheRangeIsNotBelieved() {
        server.answer(StubServer.ok("0123456789"));
        assertThat(failure(() -> store.get("a/b", 5, 2)).getMessage()).contains("ignores ranges");
    }

    @Test
    void aRangeBeyondTheEndIsTooShort() {
        server.answer(StubServer.error(416, "InvalidRange"));
        assertThat(failure(() -> store.get("a/b", 5, 2)).code())
                .isEqualTo(ErrorCode.STORE_READ_SHORT);
    }

    @Test
    void aMissingBucketIsNotAMissingObject() {
        server.answer(StubServer.error(404, ""), StubServer.error(404, "NoSuchBucket"));
        assertThat(failure(() -> store.size("a/b")).hint()).contains("make the bucket");
        server.answer(StubServer.error(404, ""), StubServer.error(404, "NoSuchKey"));
        assertThat(store.size("a/b")).isEmpty();
    }

    @Test
    void aDeleteThatIsRefusedIsAnAnswerAndAnUnknownUserIsNot() {
        server.answer(StubServer.ok("x"), StubServer.error(403, "AccessDenied"));
        assertThat(store.delete("a/b")).isEqualTo(DeleteOutcome.REFUSED);
        server.answer(StubServer.ok("x"), StubServer.error(403, "SignatureDoesNotMatch"));
        assertThat(failure(() -> store.delete("a/b")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
    }

    @Test
    void aConnectionThatIsResetIsWorthARetry() {
        server.answer(StubServer.reset());
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
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
        server.answer(
                StubServer.reset(), // it happened, and nobody heard of it
                StubServer.error(412, "PreconditionFailed"),
                StubServer.ok("ours"), // HEAD
                StubServer.part("bytes 0-3/4", "ours"));
        assertThat(insisting.put("a/b", ByteBuffer.wrap("ours".getBytes(US_ASCII))))
                .isEqualTo(PutOutcome.CREATED);
        server.answer(
                StubServer.reset(),
                StubServer.error(412, "PreconditionFailed"),
                StubServer.ok("them"),
                StubServer.part("bytes 0-3/4", "them"));
        assertThat(insisting.put("a/b", ByteBuffer.wrap("ours".getBytes(US_ASCII))))
                .isEqualTo(PutOutcome.EXISTED);
    }

    @Test
    void aServerThatIgnoresConditionsIsUnfitForARepository() {
        server.answerAllWith(StubServer.ok(""));
        MainstayException unfit = failure(() -> StoreProbe.demand(store, new Random(1)));
        assertThat(unfit.code()).isEqualTo(ErrorCode.STORE_INCAPABLE);
        assertThat(unfit.getMessage()).contains("s3://bucket/pre/fix", "If-None-Match");
        assertThat(server.requests().getLast().line()).startsWith("DELETE /bucket/pre/fix/probe/");
    }
}
