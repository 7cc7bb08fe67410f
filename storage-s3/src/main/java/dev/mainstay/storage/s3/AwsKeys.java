package dev.mainstay.storage.s3;

import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;

import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.KmsClientBuilder;
import software.amazon.awssdk.services.kms.model.IncorrectKeyException;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.utils.SdkAutoCloseable;

import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// AWS KMS. What is bound stands in the encryption context, under `mainstay`: CloudTrail shows it.
/// The SDK tries again what it knows to be passing.
public final class AwsKeys implements KeyCipher {
    private static final String CONTEXT = "mainstay";
    private static final int REGION_OF_ARN = 3;

    public AwsKeys() {}

    @Override
    public String kind() {
        return "aws-kms";
    }

    @Override
    public byte[] encrypt(RemoteKey key, byte[] plain, String bound) {
        return ask(
                        own(key),
                        client ->
                                client.encrypt(
                                                request ->
                                                        request.keyId(key.key())
                                                                .plaintext(
                                                                        SdkBytes.fromByteArray(
                                                                                plain))
                                                                .encryptionContext(
                                                                        Map.of(CONTEXT, bound)))
                                        .ciphertextBlob())
                .asByteArray();
    }

    /// Names the key: else KMS would take whatever key the bytes name, of another account too.
    @Override
    public Optional<byte[]> decrypt(RemoteKey key, byte[] sealed, String bound) {
        return ask(
                own(key),
                client -> {
                    try {
                        return Optional.of(
                                client.decrypt(
                                                request ->
                                                        request.keyId(key.key())
                                                                .ciphertextBlob(
                                                                        SdkBytes.fromByteArray(
                                                                                sealed))
                                                                .encryptionContext(
                                                                        Map.of(CONTEXT, bound)))
                                        .plaintext()
                                        .asByteArray());
                    } catch (IncorrectKeyException | InvalidCiphertextException another) {
                        return Optional.empty();
                    }
                });
    }

    private static RemoteKey.Aws own(RemoteKey key) {
        return switch (key) {
            case RemoteKey.Aws aws -> aws;
            default -> throw new IllegalArgumentException(key.key());
        };
    }

    private static <T> T ask(RemoteKey.Aws key, Function<KmsClient, T> question) {
        AwsCredentialsProvider credentials = S3Connection.credentials(key.login());
        try (SdkHttpClient http = S3Connection.http(key.route())) {
            KmsClientBuilder builder =
                    KmsClient.builder()
                            .region(region(key))
                            .credentialsProvider(credentials)
                            .httpClient(http);
            key.endpoint().ifPresent(builder::endpointOverride);
            try (KmsClient client = builder.build()) {
                return question.apply(client);
            }
        } catch (SdkException failure) {
            throw translate(key, failure);
        } finally {
            if (credentials instanceof SdkAutoCloseable closeable) {
                closeable.close();
            }
        }
    }

    private static Region region(RemoteKey.Aws key) {
        if (key.region().isPresent()) {
            return Region.of(key.region().get());
        }
        if (key.key().startsWith("arn:")) {
            return Region.of(key.key().split(":", -1)[REGION_OF_ARN]);
        }
        return S3Connection.region(key.login());
    }

    private static MainstayException translate(RemoteKey.Aws key, SdkException failure) {
        if (failure instanceof AbortedException) {
            Thread.currentThread().interrupt();
        }
        if (!(failure instanceof KmsException answer)) {
            return KeyCipher.failed(
                    key,
                    String.valueOf(failure.getMessage()),
                    "see that this host reaches the service and has a login: the environment, a"
                            + " profile, this host's role, or access-key-id beside the key; a key"
                            + " without ARN needs region",
                    failure);
        }
        String code = answer.awsErrorDetails() == null ? "" : answer.awsErrorDetails().errorCode();
        String hint =
                switch (code) {
                    case "AccessDeniedException" ->
                            "allow this login kms:Encrypt and kms:Decrypt in the key's policy; a"
                                    + " wrong account or alias answers so, too";
                    case "NotFoundException" -> "correct the key's name, or its region";
                    case "DisabledException", "KMSInvalidStateException" ->
                            "enable the key, or cancel its deletion: until then this way into the"
                                    + " repository is shut";
                    case "InvalidKeyUsageException" ->
                            "use a symmetric key for encryption (SYMMETRIC_DEFAULT)";
                    default -> "try again later, or open the repository with another recipient";
                };
        return KeyCipher.failed(key, String.valueOf(answer.getMessage()), hint, answer);
    }
}
