package dev.mainstay.storage.gcs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;
import dev.mainstay.storage.remote.GcsPlace;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.StoreProbe;
import dev.mainstay.storage.wrap.RetryingStore;
import dev.mainstay.testkit.GcsStub;
import dev.mainstay.testkit.ServerIdentity;
import dev.mainstay.testkit.StubServer;
import dev.mainstay.testkit.StubServer.Answer;
import dev.mainstay.testkit.TunnelProxy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// What is asked, and what becomes of answers: those of stubs, which are no evidence of how the
/// service itself behaves.
final class GcsFailuresTest {
    @TempDir Path folder = Path.of("");

    private final StubServer server = new StubServer();
    private final ObjectStore store =
            GcsStore.open(Places.at(server.endpoint(), "bucket", "pre/fix"));

    GcsFailuresTest() throws IOException {}

    @AfterEach
    void stop() {
        store.close();
        server.close();
    }

    private static Answer error(int status, String reason) {
        return error(status, reason, "told by a stub");
    }

    private static Answer error(int status, String reason, String message) {
        return json(
                status,
                """
                {"error":{"code":%d,"message":"%s","errors":[{"reason":"%s","message":"m"}]}}
                """
                        .formatted(status, message, reason));
    }

    private static Answer json(int status, String body) {
        return StubServer.told(status, Map.of("Content-Type", "application/json"), body);
    }

    private static MainstayException failure(Runnable call) {
        MainstayException failure = catchThrowableOfType(MainstayException.class, call::run);
        assertThat(failure).isNotNull();
        return failure;
    }

    private PutOutcome put(String content) {
        return store.put("a/b", ByteBuffer.wrap(content.getBytes(US_ASCII)));
    }

    @ParameterizedTest
    @CsvSource({
        "503, backendError",
        "500, internalError",
        "502, ''",
        "504, ''",
        "429, rateLimitExceeded",
        "403, rateLimitExceeded",
        "408, ''",
        "400, invalidChecksum",
    })
    void whatMayBeBetterInAMomentIsWorthARetry(int status, String reason) {
        server.answer(error(status, reason), error(status, reason), error(status, reason));
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(failure(() -> store.get("a/b", 0, 1)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(failure(() -> store.list("", "", 1)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(server.requests()).as("the SDK tries nothing again").hasSize(3);
    }

    @ParameterizedTest
    @CsvSource({
        "401, authError, credentials-file",
        "403, forbidden, storage.objects.list",
        "400, invalid, look up",
    })
    void whatSomebodyMustPutRightIsNotTriedAgainAndSaysHow(int status, String reason, String hint) {
        server.answer(error(status, reason), error(status, reason));
        for (MainstayException each :
                new MainstayException[] {
                    failure(() -> put("x")), failure(() -> store.get("a/b", 0, 1))
                }) {
            assertThat(each.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(each.hint()).contains(hint);
            assertThat(each.getMessage())
                    .contains(reason, "a/b", "gs://bucket/pre/fix", "told by a stub");
        }
    }

    @Test
    void aPutIsConditionalWithSumClassAndKey() throws IOException {
        try (GcsStub google = new GcsStub("bucket");
                ObjectStore cold =
                        GcsStore.open(
                                Places.at(
                                        google.endpoint(),
                                        "bucket",
                                        "pre/fix",
                                        new GcsPlace.Storing(
                                                Optional.of("NEARLINE"),
                                                Optional.of("projects/p/cryptoKeys/k")),
                                        Route.DIRECT))) {
            assertThat(cold.put("a/b", ByteBuffer.wrap("content".getBytes(US_ASCII))))
                    .isEqualTo(PutOutcome.CREATED);
            assertThat(cold.put("a/b", ByteBuffer.allocate(2))).isEqualTo(PutOutcome.EXISTED);
            GcsStub.Request request = google.requests().getFirst();
            assertThat(request.method()).isEqualTo("POST");
            assertThat(request.path()).isEqualTo("/upload/storage/v1/b/bucket/o");
            assertThat(request.query())
                    .containsEntry("ifGenerationMatch", "0")
                    .containsEntry("kmsKeyName", "projects/p/cryptoKeys/k");
            assertThat(request.metadata()).contains("pre/fix/a/b", "NEARLINE", "crc32c");
            assertThat(google.objects().get("pre/fix/a/b")).hasSize(7);
            assertThat(cold.size("a/b")).contains(7L);
            assertThat(google.requests().getLast().path())
                    .isEqualTo("/storage/v1/b/bucket/o/pre%2Ffix%2Fa%2Fb");
            cold.list("a", "a/a", 5);
            assertThat(google.requests().getLast().query())
                    .containsEntry("prefix", "pre/fix/a")
                    .containsEntry("startOffset", "pre/fix/a/a")
                    .containsEntry("maxResults", "6");
            StoreProbe.demand(cold, new Random(1));
        }
    }

    @Test
    void anAnswerThatEndsEarlyIsNeverTakenForTheObject() {
        server.answer(StubServer.cut("bytes 0-9/10", 10, "01234"));
        assertThat(failure(() -> store.get("a/b", 0, 10)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        server.answer(StubServer.part("bytes 0-9/10", "01234"));
        assertThat(failure(() -> store.get("a/b", 0, 10)).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }

    @Test
    void aServerThatIgnoresTheRangeIsNotBelieved() {
        server.answer(StubServer.ok("0123456789"));
        assertThat(failure(() -> store.get("a/b", 5, 2)).getMessage()).contains("ignores ranges");
    }

    @Test
    void onlyWhereTheBucketIsThereAnObjectIsAbsent() {
        server.answer(error(404, "notFound", "No such object: bucket/pre/fix/a/b"));
        assertThat(store.size("a/b")).isEmpty();
        server.answer(error(404, "notFound"), json(200, "{}"));
        assertThat(store.size("a/b")).isEmpty();
        server.answer(error(404, "notFound"), error(404, "notFound"));
        assertThat(failure(() -> store.size("a/b")).hint()).contains("make the bucket 'bucket'");
    }

    @Test
    void aDeleteThatIsRefusedIsAnAnswerAndAnUnknownUserIsNot() {
        server.answer(error(403, "retentionPolicyNotMet"));
        assertThat(store.delete("a/b")).isEqualTo(DeleteOutcome.REFUSED);
        server.answer(error(401, "authError"));
        assertThat(failure(() -> store.delete("a/b")).code()).isEqualTo(ErrorCode.STORE_REFUSED);
        server.answer(error(403, "rateLimitExceeded"));
        assertThat(failure(() -> store.delete("a/b")).code())
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }

    @Test
    void aListingInAnotherOrderIsNotBelieved() {
        server.answer(
                json(
                        200,
                        """
                        {"items":[{"name":"pre/fix/a/b","size":"1"},{"name":"pre/fix/a-b","size":"1"}]}
                        """));
        assertThat(failure(() -> store.list("", "", 9)).code())
                .isEqualTo(ErrorCode.STORE_INCAPABLE);
    }

    @Test
    void aConnectionThatIsResetIsWorthARetryByOurLayerOnly() {
        server.answer(StubServer.reset(), StubServer.reset());
        assertThat(failure(() -> put("x")).code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE);
        assertThat(server.requests()).hasSize(1);
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
                    error(412, "conditionNotMet"),
                    json(200, "{\"size\":\"4\"}"),
                    StubServer.part("bytes 0-3/4", there));
            assertThat(insisting.put("a/b", ByteBuffer.wrap("ours".getBytes(US_ASCII))))
                    .isEqualTo(there.equals("ours") ? PutOutcome.CREATED : PutOutcome.EXISTED);
        }
    }

    @Test
    void aLoginThatIsNoneIsToldAtOnce() {
        GcsPlace place =
                new GcsPlace(
                        "bucket",
                        "p",
                        Optional.empty(),
                        new GcsPlace.Login.Chain(
                                Optional.of(folder.resolve("nothing.json")), Optional.empty()),
                        GcsPlace.Storing.AS_THE_BUCKET_SAYS,
                        Route.DIRECT);
        MainstayException refused = failure(() -> GcsStore.open(place));
        assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
        assertThat(refused.hint()).contains("credentials-file");
    }

    @Test
    void onlyWhoIsTrustedIsTalkedToAndTheProxyIsUsed() throws Exception {
        ServerIdentity identity = ServerIdentity.make(folder);
        try (StubServer secure = StubServer.secure(identity.context());
                TunnelProxy proxy = new TunnelProxy("user", "pass")) {
            secure.answerAllWith(json(200, "{\"size\":\"3\"}"));
            Route trusting =
                    new Route(
                            Optional.of(identity.caFile()),
                            Optional.of(URI.create("http://user:pass@127.0.0.1:" + proxy.port())));
            assertThat(size(secure, trusting)).contains(3L);
            assertThat(proxy.tunnels()).isPositive();
            MainstayException refused = failure(() -> size(secure, Route.DIRECT));
            assertThat(refused.code()).isEqualTo(ErrorCode.STORE_REFUSED);
            assertThat(refused.hint()).contains("repository.ca-file");
        }
    }

    private static Optional<Long> size(StubServer secure, Route route) {
        try (ObjectStore other =
                GcsStore.open(
                        Places.at(
                                secure.endpoint(),
                                "bucket",
                                "p",
                                GcsPlace.Storing.AS_THE_BUCKET_SAYS,
                                route))) {
            return other.size("a");
        }
    }
}
