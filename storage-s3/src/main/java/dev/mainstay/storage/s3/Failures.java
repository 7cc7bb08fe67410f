package dev.mainstay.storage.s3;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.BrokenConnection;
import dev.mainstay.storage.remote.S3Place;

import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/// What S3, the SDK and the network say, in the catalogue's words. The one place that does so.
///
/// STORE_UNAVAILABLE, which is tried again, is what may be better in a moment: a server that is
/// busy or broken, a connection that is, two conditional puts at once, bytes that were changed on
/// their way. Everything else needs somebody to do something, and the hint says what.
final class Failures {
    private static final Set<String> AGAIN =
            Set.of(
                    "SlowDown",
                    "RequestTimeout",
                    "Throttling",
                    "ThrottlingException",
                    "RequestLimitExceeded",
                    "TooManyRequests",
                    "InternalError",
                    "ServiceUnavailable",
                    "ConditionalRequestConflict",
                    "OperationAborted",
                    "BadDigest",
                    "IncompleteBody");
    private static final Set<String> FULL =
            Set.of("QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded");

    private final S3Place place;

    Failures(S3Place place) {
        this.place = place;
    }

    /// @param what was being done, with the name of the object: `cannot put 'wal/1'`
    MainstayException translate(String what, SdkException failure) {
        if (failure instanceof S3Exception answer) {
            return answered(what, answer);
        }
        if (failure instanceof AbortedException) {
            Thread.currentThread().interrupt();
            return error(ErrorCode.STORE_UNAVAILABLE, what, "interrupted", failure);
        }
        Optional<IOException> broken = BrokenConnection.cause(failure, IOException.class);
        if (broken.isPresent()) {
            return broken(what, broken.get());
        }
        String said = String.valueOf(failure.getMessage());
        if (said.contains("credentials") || said.contains("profile")) {
            return hinted(
                    ErrorCode.STORE_REFUSED,
                    what,
                    said,
                    "give access-key-id and secret-access-key or a profile below repository, or let"
                            + " the environment or this host's role give them",
                    failure);
        }
        if (said.contains("region")) {
            return hinted(
                    ErrorCode.STORE_REFUSED,
                    what,
                    said,
                    "set repository.region to the region of the bucket",
                    failure);
        }
        return error(ErrorCode.STORE_REFUSED, what, said, failure);
    }

    /// The connection, or what came over it, broke.
    MainstayException broken(String what, IOException failure) {
        return BrokenConnection.told(
                what,
                place.url(),
                failure,
                "repository.endpoint or repository.region (a server whose name is an address needs"
                        + " path-style: true)");
    }

    private MainstayException answered(String what, S3Exception answer) {
        String code = code(answer);
        int status = answer.statusCode();
        String said = said(answer);
        if (FULL.contains(code) || status == 507) {
            return error(ErrorCode.STORE_FULL, what, said, answer);
        }
        boolean again =
                AGAIN.contains(code)
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
        return hinted(ErrorCode.STORE_REFUSED, what, said, hint(answer, code), answer);
    }

    private String hint(S3Exception answer, String code) {
        return switch (code) {
            case "NoSuchBucket" ->
                    "make the bucket '"
                            + place.bucket()
                            + "' first, or correct repository.url; Mainstay makes none";
            case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity" ->
                    "the server does not know these keys: correct access-key-id and"
                            + " secret-access-key, or what the environment or the profile gives";
            case "ExpiredToken", "TokenRefreshRequired" ->
                    "the session token is over: get a new one, or let a role of this host give it";
            case "RequestTimeTooSkewed", "RequestExpired" ->
                    "this host's clock is wrong: set it, and keep it right (NTP)";
            case "PermanentRedirect",
                    "TemporaryRedirect",
                    "AuthorizationHeaderMalformed",
                    "IllegalLocationConstraintException",
                    "IncorrectEndpoint" ->
                    "the bucket is in "
                            + bucketRegion(answer)
                            + ": set repository.region, and repository.endpoint if there is one";
            case "InvalidObjectState" ->
                    "the object was moved to a class that must be thawed first: have it restored,"
                            + " and remove the lifecycle rule that moves objects below this prefix";
            case "InvalidStorageClass" -> "correct repository.storage-class";
            case "NotImplemented" ->
                    "the server lacks something that was asked for: leave out storage-class and"
                            + " server-side-encryption, or use another server";
            default -> byStatus(answer);
        };
    }

    private String byStatus(S3Exception answer) {
        return switch (answer.statusCode()) {
            case 403 ->
                    "allow s3:ListBucket on the bucket and s3:GetObject, s3:PutObject and, to"
                            + " remove, s3:DeleteObject below the prefix, and the use of the key of"
                            + " server-side encryption";
            case 301, 307, 308 ->
                    "the bucket is in " + bucketRegion(answer) + ": set repository.region";
            case 404 -> "correct repository.url and repository.endpoint";
            default -> "look up what the server says, and its log";
        };
    }

    private static String bucketRegion(S3Exception answer) {
        return Optional.ofNullable(answer.awsErrorDetails())
                .map(AwsErrorDetails::sdkHttpResponse)
                .flatMap(response -> response.firstMatchingHeader("x-amz-bucket-region"))
                .map(region -> "the region " + region)
                .orElse("another region");
    }

    /// Whether the bucket is there and the object is not.
    static boolean isNoKey(S3Exception answer) {
        return answer.statusCode() == 404
                && (code(answer).equals("NoSuchKey") || code(answer).equals("NoSuchVersion"));
    }

    /// Whether the object is there and has no lock.
    static boolean isUnlocked(S3Exception answer) {
        return code(answer).equals("NoSuchObjectLockConfiguration")
                || code(answer).equals("ObjectLockConfigurationNotFoundError");
    }

    /// Whether the store keeps the object: a retention lock, or a right that this user lacks. Not
    /// where the server does not know the user at all.
    static boolean isKept(SdkException failure) {
        if (!(failure instanceof S3Exception answer)) {
            return false;
        }
        String code = code(answer);
        return switch (answer.statusCode()) {
            case 403 -> code.equals("AccessDenied") || code.equals("ObjectLocked");
            case 405 -> true;
            case 400 ->
                    code.equals("ObjectLocked")
                            || said(answer).toUpperCase(Locale.ROOT).contains("WORM");
            default -> false;
        };
    }

    private static String code(S3Exception answer) {
        return Optional.ofNullable(answer.awsErrorDetails())
                .map(AwsErrorDetails::errorCode)
                .orElse("");
    }

    private static String said(S3Exception answer) {
        String code = code(answer);
        String words =
                Optional.ofNullable(answer.awsErrorDetails())
                        .map(AwsErrorDetails::errorMessage)
                        .orElse("");
        return "the server answered "
                + answer.statusCode()
                + (code.isEmpty() ? "" : " " + code)
                + (words.isEmpty() ? "" : " (" + words + ")");
    }

    private MainstayException error(
            ErrorCode code, String what, String said, Throwable failure) {
        return hinted(code, what, said, code.hint(), failure);
    }

    private MainstayException hinted(
            ErrorCode code, String what, String said, String hint, Throwable failure) {
        return new MainstayException(
                code, what + " in " + place.url() + ": " + said, hint, failure);
    }
}
