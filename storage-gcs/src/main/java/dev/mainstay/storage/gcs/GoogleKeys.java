package dev.mainstay.storage.gcs;

import com.google.api.client.googleapis.json.GoogleJsonResponseException;
import com.google.api.client.http.HttpRequestInitializer;
import com.google.api.client.http.HttpResponseException;
import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.apache.v5.Apache5HttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.client.util.BackOff;
import com.google.api.client.util.BackOffUtils;
import com.google.api.client.util.ExponentialBackOff;
import com.google.api.client.util.Sleeper;
import com.google.api.services.cloudkms.v1.CloudKMS;
import com.google.api.services.cloudkms.v1.model.DecryptRequest;
import com.google.api.services.cloudkms.v1.model.DecryptResponse;
import com.google.api.services.cloudkms.v1.model.EncryptRequest;
import com.google.api.services.cloudkms.v1.model.EncryptResponse;

import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;

import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/// Google Cloud KMS. What is bound is the additional authenticated data. Checksums go along in both
/// directions, as Google's data integrity guidelines have it.
public final class GoogleKeys implements KeyCipher {
    private static final List<String> SCOPES = List.of("https://www.googleapis.com/auth/cloudkms");
    private static final int FIRST_WAIT_MILLIS = 200;
    private static final int LONGEST_MILLIS = 15_000;

    /// How it says that another key, or other additional data, belongs to the bytes.
    private static final String NOT_ITS = "Decryption failed";

    public GoogleKeys() {}

    @Override
    public String kind() {
        return "gcp-kms";
    }

    @Override
    public byte[] encrypt(RemoteKey key, byte[] plain, String bound) {
        byte[] data = bound.getBytes(StandardCharsets.UTF_8);
        EncryptRequest request =
                new EncryptRequest()
                        .encodePlaintext(plain)
                        .setPlaintextCrc32c(crc(plain))
                        .encodeAdditionalAuthenticatedData(data)
                        .setAdditionalAuthenticatedDataCrc32c(crc(data));
        RemoteKey.Google own = own(key);
        try {
            return ask(
                    own,
                    keys -> {
                        EncryptResponse answer =
                                keys.encrypt(own.key(), request)
                                        .setDisableGZipContent(true)
                                        .execute();
                        byte[] sealed = answer.decodeCiphertext();
                        boolean whole =
                                Boolean.TRUE.equals(answer.getVerifiedPlaintextCrc32c())
                                        && Boolean.TRUE.equals(
                                                answer
                                                        .getVerifiedAdditionalAuthenticatedDataCrc32c())
                                        && crc(sealed).equals(answer.getCiphertextCrc32c());
                        if (!whole) {
                            throw new IOException("bytes were changed on their way");
                        }
                        return sealed;
                    });
        } catch (IOException failure) {
            throw translate(own, failure);
        }
    }

    @Override
    public Optional<byte[]> decrypt(RemoteKey key, byte[] sealed, String bound) {
        byte[] data = bound.getBytes(StandardCharsets.UTF_8);
        DecryptRequest request =
                new DecryptRequest()
                        .encodeCiphertext(sealed)
                        .setCiphertextCrc32c(crc(sealed))
                        .encodeAdditionalAuthenticatedData(data)
                        .setAdditionalAuthenticatedDataCrc32c(crc(data));
        RemoteKey.Google own = own(key);
        try {
            return ask(
                    own,
                    keys -> {
                        DecryptResponse answer =
                                keys.decrypt(own.key(), request)
                                        .setDisableGZipContent(true)
                                        .execute();
                        byte[] plain = answer.decodePlaintext();
                        if (!crc(plain).equals(answer.getPlaintextCrc32c())) {
                            throw new IOException("bytes were changed on their way");
                        }
                        return Optional.of(plain);
                    });
        } catch (IOException failure) {
            if (status(failure) == 400 && words(failure).contains(NOT_ITS)) {
                return Optional.empty();
            }
            throw translate(own, failure);
        }
    }

    private static Long crc(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, bytes.length);
        return crc.getValue();
    }

    private static RemoteKey.Google own(RemoteKey key) {
        return switch (key) {
            case RemoteKey.Google google -> google;
            default -> throw new IllegalArgumentException(key.key());
        };
    }

    private interface Question<T> {
        T ask(CloudKMS.Projects.Locations.KeyRings.CryptoKeys keys) throws IOException;
    }

    private static <T> T ask(RemoteKey.Google key, Question<T> question) throws IOException {
        BackOff waits =
                new ExponentialBackOff.Builder()
                        .setInitialIntervalMillis(FIRST_WAIT_MILLIS)
                        .setMaxElapsedTimeMillis(LONGEST_MILLIS)
                        .build();
        try (CloseableHttpClient http = GcsConnection.http(key.route())) {
            HttpTransport transport = new Apache5HttpTransport(http);
            HttpRequestInitializer login = GcsConnection.login(key.login(), transport, SCOPES);
            CloudKMS.Builder builder =
                    new CloudKMS.Builder(
                                    transport,
                                    GsonFactory.getDefaultInstance(),
                                    request -> GcsConnection.initialize(request, login))
                            .setApplicationName("mainstay");
            key.endpoint().map(URI::toString).ifPresent(url -> builder.setRootUrl(url + "/"));
            CloudKMS.Projects.Locations.KeyRings.CryptoKeys keys =
                    builder.build().projects().locations().keyRings().cryptoKeys();
            while (true) {
                try {
                    return question.ask(keys);
                } catch (IOException failure) {
                    if (!isPassing(failure) || !goesOn(waits)) {
                        throw failure;
                    }
                }
            }
        } catch (IllegalArgumentException unusable) {
            throw new IOException("no login: " + unusable.getMessage(), unusable);
        }
    }

    private static boolean goesOn(BackOff waits) throws IOException {
        try {
            return BackOffUtils.next(Sleeper.DEFAULT, waits);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static boolean isPassing(IOException failure) {
        int status = status(failure);
        return status == 0 || status == 408 || status == 429 || status >= 500;
    }

    private static int status(IOException failure) {
        return Failures.status(failure);
    }

    private static String words(IOException failure) {
        if (failure instanceof GoogleJsonResponseException json && json.getDetails() != null) {
            return String.valueOf(json.getDetails().getMessage());
        }
        return failure instanceof HttpResponseException answer
                ? String.valueOf(answer.getContent())
                : String.valueOf(failure.getMessage());
    }

    private static MainstayException translate(RemoteKey.Google key, IOException failure) {
        String hint =
                switch (status(failure)) {
                    case 401 ->
                            "correct credentials-file or the environment's login; and this host's"
                                    + " clock";
                    case 403 ->
                            "allow this login the role Cloud KMS CryptoKey Encrypter/Decrypter on"
                                    + " the key, and enable the service cloudkms in its project";
                    case 404 -> "correct the key's name";
                    case 400 ->
                            "enable the key's version, or see that it is a symmetric key for"
                                    + " encryption: until then this way into the repository is shut";
                    default ->
                            "see that this host reaches the service and has a login, or open the"
                                    + " repository with another recipient";
                };
        return KeyCipher.failed(key, words(failure), hint, failure);
    }
}
