package dev.mainstay.storage.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.KeyRotation;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.CloudKey;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.remote.KeyCipher;
import dev.mainstay.storage.remote.RemoteKey;
import dev.mainstay.storage.remote.Route;
import dev.mainstay.storage.remote.S3Place;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What is asked of AWS KMS, and what its answers come to. Not proven against the service.
class AwsKeysTest {
    private static final String ONE = "arn:aws:kms:eu-central-1:111122223333:key/one";
    private static final String TWO = "arn:aws:kms:eu-central-1:111122223333:key/two";
    private static final byte[] ROOT = new byte[32];

    private final ObjectStore store = MemoryStore.create();
    private KmsStub stub;

    @BeforeEach
    void begin() throws IOException {
        stub = new KmsStub();
        stub.add(ONE);
        stub.add(TWO);
    }

    @AfterEach
    void end() {
        stub.close();
    }

    private RemoteKey key(String name) {
        return new RemoteKey.Aws(
                name,
                Optional.empty(),
                Optional.of(stub.endpoint()),
                new S3Place.Login.Keys("AKIDEXAMPLE", "hidden-secret", Optional.empty()),
                Route.DIRECT);
    }

    private Optional<Credential> credential(String name) {
        return Optional.of(new Credential.Service(new CloudKey(key(name))));
    }

    @Test
    void requestsNameTheKeyAndWhatIsBoundAndAreSigned() {
        KeyCipher cipher = KeyCipher.of(key(ONE));
        byte[] sealed = cipher.encrypt(key(ONE), ROOT, "epoch 1");
        assertThat(cipher.decrypt(key(ONE), sealed, "epoch 1"))
                .hasValueSatisfying(plain -> assertThat(plain).isEqualTo(ROOT));
        assertThat(stub.asked)
                .extracting(KmsStub.Asked::target)
                .containsExactly("TrentService.Encrypt", "TrentService.Decrypt");
        for (KmsStub.Asked asked : stub.asked) {
            assertThat(asked.body().string("KeyId")).isEqualTo(ONE);
            assertThat(asked.body().object("EncryptionContext").fields())
                    .isEqualTo(Map.of("mainstay", "epoch 1"));
            assertThat(asked.authorization())
                    .startsWith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
                    .contains("/eu-central-1/kms/aws4_request");
        }
    }

    @Test
    void whatAnotherKeyWrappedOrAnotherPlaceHasIsNotItsOwn() {
        KeyCipher cipher = KeyCipher.of(key(ONE));
        byte[] sealed = cipher.encrypt(key(ONE), ROOT, "epoch 1");
        assertThat(cipher.decrypt(key(TWO), sealed, "epoch 1")).isEmpty();
        assertThat(cipher.decrypt(key(ONE), sealed, "epoch 2")).isEmpty();
        sealed[sealed.length - 1]++;
        assertThat(cipher.decrypt(key(ONE), sealed, "epoch 1")).isEmpty();
    }

    @Test
    void whatPassesIsTriedAgainAndWhatDoesNotIsTold() {
        KeyCipher cipher = KeyCipher.of(key(ONE));
        stub.refuse("ThrottlingException");
        byte[] sealed = cipher.encrypt(key(ONE), ROOT, "epoch 1");
        assertThat(stub.asked).hasSize(2);
        for (Map.Entry<String, String> refusal :
                Map.of(
                                "AccessDeniedException", "kms:Decrypt",
                                "NotFoundException", "region",
                                "DisabledException", "enable the key",
                                "KMSInvalidStateException", "deletion")
                        .entrySet()) {
            stub.refuse(refusal.getKey());
            assertThatThrownBy(() -> cipher.decrypt(key(ONE), sealed, "epoch 1"))
                    .hasMessageContaining("key " + ONE + " of aws-kms cannot be used")
                    .hasMessageContaining("so it is")
                    .hasMessageNotContaining("hidden-secret")
                    .extracting("code", "hint")
                    .satisfies(
                            told -> {
                                assertThat(told.getFirst()).isEqualTo(ErrorCode.KEY_SERVICE);
                                assertThat(told.getLast().toString()).contains(refusal.getValue());
                            });
        }
        stub.close();
        assertThatThrownBy(() -> cipher.decrypt(key(ONE), sealed, "epoch 1"))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_SERVICE);
    }

    @Test
    void aRepositoryIsMadeOpenedAndRotatedWithIt() {
        Credential file = new Credential.KeyFile(new byte[32]);
        Repository made = Repository.create(store, credential(ONE), Ground.ofThisHost());
        made.sourceOrAdd("orders");
        assertThat(Repository.open(store, credential(ONE), Ground.ofThisHost()).source("orders"))
                .isPresent();
        assertThatThrownBy(() -> Repository.open(store, credential(TWO), Ground.ofThisHost()))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_WRONG);
        made.keys().add(credential(TWO).orElseThrow(), Optional.of("the other region"));
        made.keys().add(file, Optional.empty());
        KeyRotation rotation =
                Repository.open(store, credential(ONE), Ground.ofThisHost())
                        .keys()
                        .rotation(List.of(credential(TWO).orElseThrow()));
        assertThat(rotation.run(rotation.plan()).kept()).hasSize(3);
        for (Optional<Credential> each :
                List.of(credential(ONE), credential(TWO), Optional.of(file))) {
            assertThat(Repository.open(store, each, Ground.ofThisHost()).keys().epochs())
                    .isEqualTo(Map.of(1, true, 2, true));
        }
    }
}
