package dev.mainstay.storage.azure;

import com.azure.core.exception.ClientAuthenticationException;
import com.azure.core.exception.HttpResponseException;
import com.azure.identity.CredentialUnavailableException;
import com.azure.storage.blob.models.BlobErrorCode;
import com.azure.storage.blob.models.BlobStorageException;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.AzurePlace;
import dev.mainstay.storage.remote.BrokenConnection;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// What Azure, the SDK and the network say, in the catalogue's words. The one place that does so.
///
/// STORE_UNAVAILABLE, which is tried again, is what may be better in a moment: a server that is
/// busy or broken, a connection that is, bytes that were changed on their way. Everything else needs
/// somebody to do something, and the hint says what.
final class Failures {
    /// Where a wrong name of the server comes from.
    static final String SERVER_SETTINGS =
            "repository.endpoint or the account in repository.url";

    private static final String PROXY_HINT = "correct user and password in repository.proxy";
    private static final int MOST_SAID = 400;
    private static final String WORDS = "<Message>";

    private static final Set<String> AGAIN =
            Set.of(
                    "ServerBusy",
                    "InternalError",
                    "OperationTimedOut",
                    "Md5Mismatch",
                    "AccountBeingCreated",
                    "ContainerBeingDeleted");

    /// Of answers 409 that say nothing of the object.
    private static final Set<String> OF_THE_CONTAINER =
            Set.of(
                    "AccountBeingCreated",
                    "ContainerBeingDeleted",
                    "ContainerDisabled",
                    "ContainerNotFound",
                    "PublicAccessNotPermitted");

    /// Of answers 409 and 412 to a delete: somebody wants the object kept.
    private static final Set<String> KEPT =
            Set.of(
                    "BlobImmutableDueToPolicy",
                    "BlobImmutableDueToLegalHold",
                    "SnapshotsPresent",
                    "LeaseIdMissing");

    /// To a commit of blocks, of which another put has disposed.
    private static final String GONE_BLOCKS = "InvalidBlockList";

    /// What some servers say of a wrong key under the code of a missing right.
    private static final String NOT_KNOWN = "failed to authenticate";

    /// Of answers 403.
    private static final Set<String> NOT_ALLOWED =
            Set.of(
                    "AuthorizationFailure",
                    "AuthorizationPermissionMismatch",
                    "InsufficientAccountPermissions");

    private final AzurePlace place;

    Failures(AzurePlace place) {
        this.place = place;
    }

    /// Makes a request, whose failure is translated.
    ///
    /// @param what is being done, with the name of the object: `cannot put 'wal/1'`
    <T> T asked(String what, Supplier<T> request) {
        try {
            return request.get();
        } catch (MainstayException told) {
            throw told;
        } catch (RuntimeException failed) {
            throw translate(what, failed);
        }
    }

    /// Throws what is no failure of a request as it is.
    MainstayException translate(String what, RuntimeException failure) {
        if (failure instanceof BlobStorageException answer) {
            return answered(what, answer);
        }
        if (BrokenConnection.cause(failure, InterruptedException.class).isPresent()) {
            Thread.currentThread().interrupt();
            return error(ErrorCode.STORE_UNAVAILABLE, what, "interrupted", failure);
        }
        if (BrokenConnection.cause(failure, CredentialUnavailableException.class).isPresent()) {
            return unknown(what, failure);
        }
        Optional<IOException> broken = BrokenConnection.cause(failure, IOException.class);
        if (broken.isPresent() && isProxyRefusal(broken.get())) {
            return proxyRefused(what, failure);
        }
        if (broken.isPresent()) {
            return BrokenConnection.told(what, place.url(), broken.get(), SERVER_SETTINGS);
        }
        if (BrokenConnection.cause(failure, TimeoutException.class).isPresent()) {
            return BrokenConnection.told(
                    what,
                    place.url(),
                    new IOException("the server did not answer in time", failure),
                    SERVER_SETTINGS);
        }
        if (BrokenConnection.cause(failure, ClientAuthenticationException.class).isPresent()) {
            return unknown(what, failure);
        }
        if (failure instanceof HttpResponseException answer) {
            return error(ErrorCode.STORE_REFUSED, what, brief(answer), failure);
        }
        // what the SDK makes of a proxy's 407, which comes without a body
        if (place.route().proxy().isPresent()
                && BrokenConnection.cause(failure, NullPointerException.class).isPresent()) {
            return proxyRefused(what, failure);
        }
        throw failure;
    }

    /// The JDK gives a password three times, and then this up.
    private static boolean isProxyRefusal(IOException failure) {
        return String.valueOf(failure.getMessage()).contains("authentication attempts");
    }

    private MainstayException proxyRefused(String what, RuntimeException failure) {
        return hinted(
                ErrorCode.STORE_REFUSED,
                what,
                "the proxy lets nothing through",
                PROXY_HINT,
                failure);
    }

    private MainstayException unknown(String what, RuntimeException failure) {
        return hinted(
                ErrorCode.STORE_REFUSED,
                what,
                "no identity to ask with: " + brief(failure),
                "give account-key, sas-token or connection-string below repository, or let the"
                        + " environment (AZURE_CLIENT_ID and the like), a workload or managed identity"
                        + " of this host, or 'az login' give an identity",
                failure);
    }

    private MainstayException answered(String what, BlobStorageException answer) {
        String code = text(answer.getErrorCode());
        int status = answer.getStatusCode();
        if (status == 507) {
            return error(ErrorCode.STORE_FULL, what, said(answer), answer);
        }
        boolean again =
                AGAIN.contains(code)
                        || status == 408
                        || status == 429
                        || (status >= 500 && status != 501 && status != 505);
        if (again || code.equals(GONE_BLOCKS)) {
            return hinted(
                    ErrorCode.STORE_UNAVAILABLE,
                    what,
                    said(answer),
                    "the server is busy or has trouble; run the command again later",
                    answer);
        }
        return hinted(ErrorCode.STORE_REFUSED, what, said(answer), hint(answer, code), answer);
    }

    private String hint(BlobStorageException answer, String code) {
        if (code.startsWith("KeyVault") || code.contains("EncryptionScope")) {
            return "correct repository.encryption-scope, and let the account use the key in its vault";
        }
        if (words(answer).contains(NOT_KNOWN)) {
            return wrongLogin(answer);
        }
        return switch (code) {
            case "ContainerNotFound", "ResourceNotFound", "ContainerDisabled" ->
                    "make the container '"
                            + place.container()
                            + "' first, or correct repository.url; Mainstay makes none";
            case "AuthenticationFailed", "InvalidAuthenticationInfo" -> wrongLogin(answer);
            case "NoAuthenticationInformation", "PublicAccessNotPermitted" ->
                    "give account-key, sas-token, connection-string or an identity";
            case "KeyBasedAuthenticationNotPermitted" ->
                    "the account takes no keys: leave out account-key and let an identity ask";
            case "AuthorizationFailure",
                    "AuthorizationPermissionMismatch",
                    "InsufficientAccountPermissions",
                    "AuthorizationResourceTypeMismatch",
                    "AuthorizationServiceMismatch" ->
                    "allow reading, listing, creating and, to remove, deleting: permissions rlcd (and w for packs above 96MiB) of a"
                            + " signature for the container's blobs, or a role such as Storage Blob"
                            + " Data Contributor; a firewall of the account answers so, too";
            case "AuthorizationSourceIPMismatch" -> "the signature is for other addresses";
            case "AuthorizationProtocolMismatch" -> "the signature is for https only";
            case "AccountIsDisabled" -> "the account is disabled: ask who pays for it";
            case "BlobArchived", "BlobBeingRehydrated" ->
                    "the object was moved to the archive tier: have it rehydrated, and remove the"
                            + " lifecycle rule that moves objects below this prefix";
            case "InvalidHeaderValue", "FeatureVersionMismatch", "AccessTierNotSupportedForBlob" ->
                    "the account lacks something that was asked for: leave out access-tier and"
                            + " encryption-scope";
            default -> byStatus(answer.getStatusCode());
        };
    }

    private static String wrongLogin(BlobStorageException answer) {
        String said = String.valueOf(answer.getServiceMessage()); // with its details
        if (said.contains("time frame") || said.contains("expiry") || said.contains("expired")) {
            return "the signature is over or not yet good: make a new sas-token";
        }
        if (said.contains("Date header") || said.contains("date header")) {
            return "this host's clock is wrong: set it, and keep it right (NTP)";
        }
        return "the server does not know this login: correct account-key, sas-token or"
                + " connection-string, and the account in repository.url; and this host's clock";
    }

    private static String byStatus(int status) {
        return switch (status) {
            case 401, 403 ->
                    "let a role such as Storage Blob Data Contributor, or a signature, allow it";
            case 404 -> "correct repository.url and repository.endpoint";
            case 407 -> PROXY_HINT;
            default -> "look up what the server says, and its log";
        };
    }

    /// Whether an answer means that there is no such object, and nothing worse.
    static boolean isNoBlob(BlobStorageException answer) {
        return answer.getStatusCode() == 404
                && BlobErrorCode.BLOB_NOT_FOUND.equals(answer.getErrorCode());
    }

    /// Whether an answer to a put means that the name is taken.
    static boolean isTaken(BlobStorageException answer) {
        return answer.getStatusCode() == 412
                || BlobErrorCode.BLOB_ALREADY_EXISTS.equals(answer.getErrorCode())
                || BlobErrorCode.UNAUTHORIZED_BLOB_OVERWRITE.equals(answer.getErrorCode());
    }

    /// Whether it may mean that.
    static boolean mayBeTaken(BlobStorageException answer) {
        String code = text(answer.getErrorCode());
        return code.equals(GONE_BLOCKS)
                || (answer.getStatusCode() == 409 && !OF_THE_CONTAINER.contains(code))
                || isForbidden(answer);
    }

    /// Whether the server knows who asks, who may not do this.
    private static boolean isForbidden(BlobStorageException answer) {
        return answer.getStatusCode() == 403
                && NOT_ALLOWED.contains(text(answer.getErrorCode()))
                && !words(answer).contains(NOT_KNOWN);
    }

    /// Whether the store keeps the object: an immutability policy, a snapshot, a lease, or a right
    /// that this user lacks. Not where the server does not know the user at all.
    static boolean isKept(BlobStorageException answer) {
        String code = text(answer.getErrorCode());
        return switch (answer.getStatusCode()) {
            case 403 -> isForbidden(answer);
            case 409, 412 -> KEPT.contains(code);
            default -> false;
        };
    }

    private static String text(@Nullable BlobErrorCode code) {
        return code == null ? "" : code.toString();
    }

    private static String said(BlobStorageException answer) {
        String code = text(answer.getErrorCode());
        String words = words(answer);
        return "the server answered "
                + answer.getStatusCode()
                + (code.isEmpty() ? "" : " " + code)
                + (words.isEmpty() ? "" : " (" + words + ")");
    }

    /// The server's own, without the SDK's, which come first; answers to HEAD have none.
    private static String words(BlobStorageException answer) {
        String message = String.valueOf(answer.getMessage());
        int begin = message.indexOf(WORDS);
        int end = message.indexOf("</Message>");
        return begin >= 0 && end > begin ? first(message.substring(begin + WORDS.length(), end)) : "";
    }

    private static String brief(RuntimeException failure) {
        return first(String.valueOf(failure.getMessage()));
    }

    private static String first(String words) {
        String line = words.strip().lines().findFirst().orElse("");
        return line.length() > MOST_SAID ? line.substring(0, MOST_SAID) + "..." : line;
    }

    /// Listings in another order would be read as if objects were missing.
    MainstayException disordered(String what, String before, String name) {
        return new MainstayException(
                ErrorCode.STORE_INCAPABLE,
                what
                        + " in "
                        + place.url()
                        + ": it lists '"
                        + name
                        + "' after '"
                        + before
                        + "', not in the order of names",
                "use an account without a hierarchical namespace (Data Lake Storage)",
                null);
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
