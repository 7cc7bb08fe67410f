package dev.mainstay.storage.gcs;

import com.google.api.client.googleapis.json.GoogleJsonError;
import com.google.api.client.googleapis.json.GoogleJsonResponseException;
import com.google.api.client.http.HttpResponseException;
import com.google.auth.Retryable;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.BrokenConnection;
import dev.mainstay.storage.remote.GcsPlace;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Optional;
import java.util.Set;

/// What Google, the SDK and the network say, in the catalogue's words. The one place that does so.
///
/// STORE_UNAVAILABLE, which is tried again, is what may be better in a moment: a server that is
/// busy or broken, a connection that is, bytes that were changed on their way. Everything else needs
/// somebody to do something, and the hint says what.
final class Failures {
    static final String SERVER_SETTINGS = "repository.endpoint";

    private static final int NONE = 0;
    private static final int MOST_SAID = 400;

    /// Of answers 403 and 400.
    private static final Set<String> AGAIN =
            Set.of("rateLimitExceeded", "userRateLimitExceeded", "invalidChecksum");

    /// Of answers 403: not that this user may not, but that nobody may now.
    private static final Set<String> OF_THE_ACCOUNT =
            Set.of(
                    "accountDisabled",
                    "accessNotConfigured",
                    "quotaExceeded",
                    "rateLimitExceeded",
                    "userRateLimitExceeded",
                    "userProjectMissing",
                    "UserProjectAccountProblem");

    private final GcsPlace place;

    Failures(GcsPlace place) {
        this.place = place;
    }

    /// @param what was being done, with the name of the object: `cannot put 'wal/1'`
    MainstayException translate(String what, IOException failure) {
        if (failure instanceof HttpResponseException answer) {
            return answered(what, answer);
        }
        if (failure instanceof Retryable token) { // no token was to be had
            return token.isRetryable()
                    ? BrokenConnection.told(what, place.url(), failure, SERVER_SETTINGS)
                    : hinted(
                            ErrorCode.STORE_REFUSED,
                            what,
                            "no token to ask with: " + brief(String.valueOf(failure.getMessage())),
                            "correct credentials-file or the environment's login, and let it"
                                    + " impersonate repository.impersonate-service-account, if it is to",
                            failure);
        }
        if (failure instanceof InterruptedIOException && Thread.currentThread().isInterrupted()) {
            return hinted(
                    ErrorCode.STORE_UNAVAILABLE,
                    what,
                    "interrupted",
                    ErrorCode.STORE_UNAVAILABLE.hint(),
                    failure);
        }
        return BrokenConnection.told(what, place.url(), failure, SERVER_SETTINGS);
    }

    private MainstayException answered(String what, HttpResponseException answer) {
        int status = answer.getStatusCode();
        String reason = reason(answer);
        String said = said(answer);
        if (status == 507) {
            return hinted(ErrorCode.STORE_FULL, what, said, ErrorCode.STORE_FULL.hint(), answer);
        }
        boolean again =
                AGAIN.contains(reason)
                        || status == 408
                        || status == 409
                        || status == 429
                        || (status >= 500 && status != 501 && status != 505);
        if (again) {
            return hinted(
                    ErrorCode.STORE_UNAVAILABLE,
                    what,
                    said,
                    "the server is busy or has trouble; run the command again later",
                    answer);
        }
        return hinted(ErrorCode.STORE_REFUSED, what, said, hint(status, words(answer)), answer);
    }

    private String hint(int status, String words) {
        if (words.contains("KMS") || words.contains("cryptoKey")) {
            return "correct repository.kms-key, and let the project's storage service agent use it";
        }
        return switch (status) {
            case 401 ->
                    "the server does not know this login: correct credentials-file or what the"
                            + " environment gives; and this host's clock";
            case 403 ->
                    "allow storage.objects.list, get and create and, to remove, delete: the role"
                            + " Storage Object User on the bucket; a retention policy or a service"
                            + " perimeter answers so, too";
            case 404 ->
                    "make the bucket '"
                            + place.bucket()
                            + "' first, or correct repository.url; Mainstay makes none";
            case 407 -> "correct user and password in repository.proxy";
            default -> "look up what the server says";
        };
    }

    /// Of an answer; 0 if there was none.
    static int status(IOException failure) {
        return failure instanceof HttpResponseException answer ? answer.getStatusCode() : NONE;
    }

    /// Whether an answer says that it is the object that is not there.
    static boolean namesObject(IOException failure) {
        return failure instanceof HttpResponseException answer
                && words(answer).contains("No such object");
    }

    /// Whether the store keeps the object: a retention policy, a hold, or a right that this user
    /// lacks. Not where the server does not know the user at all.
    static boolean isKept(IOException failure) {
        return failure instanceof HttpResponseException answer
                && (answer.getStatusCode() == 403 || answer.getStatusCode() == 412)
                && !OF_THE_ACCOUNT.contains(reason(answer));
    }

    private static String reason(HttpResponseException answer) {
        return details(answer)
                .flatMap(error -> Optional.ofNullable(error.getErrors()))
                .filter(errors -> !errors.isEmpty())
                .map(errors -> errors.getFirst().getReason())
                .orElse("");
    }

    private static String words(HttpResponseException answer) {
        return details(answer)
                .flatMap(error -> Optional.ofNullable(error.getMessage()))
                .or(() -> Optional.ofNullable(answer.getContent()))
                .map(Failures::brief)
                .orElse("");
    }

    private static Optional<GoogleJsonError> details(HttpResponseException answer) {
        return answer instanceof GoogleJsonResponseException json
                ? Optional.ofNullable(json.getDetails())
                : Optional.empty();
    }

    private static String said(HttpResponseException answer) {
        String reason = reason(answer);
        String words = words(answer);
        return "the server answered "
                + answer.getStatusCode()
                + (reason.isEmpty() ? "" : " " + reason)
                + (words.isEmpty() ? "" : " (" + words + ")");
    }

    private static String brief(String text) {
        String line = text.strip().lines().findFirst().orElse("");
        return line.length() > MOST_SAID ? line.substring(0, MOST_SAID) + "..." : line;
    }

    /// Listings in another order would be read as if objects were missing.
    MainstayException disordered(String what, String before, String name) {
        return hinted(
                ErrorCode.STORE_INCAPABLE,
                what,
                "it lists '" + name + "' after '" + before + "', not in the order of names",
                "use a bucket without a hierarchical namespace",
                null);
    }

    MainstayException hinted(
            ErrorCode code,
            String what,
            String said,
            String hint,
            @Nullable Throwable failure) {
        return new MainstayException(
                code, what + " in " + place.url() + ": " + said, hint, failure);
    }
}
