package dev.mainstay.repository.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.KeyRotation;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// A key that cannot leave its token opens a repository, on SoftHSM.
class TokenKeyTest {
    private static final Credential FILE = new Credential.KeyFile(new byte[32]);
    private static final RootKeyPlace PLACE =
            new RootKeyPlace("00112233445566778899aabbccddeeff", 1);

    private static long slot;
    private static long other;

    /// A login counts for the whole process, so this one has none.
    private static long locked;

    private final ObjectStore store = MemoryStore.create();

    @BeforeAll
    static void tokens() throws Exception {
        SoftToken.demand();
        slot = SoftToken.make("one");
        other = SoftToken.make("two"); // all before the library looks for tokens, once
        locked = SoftToken.make("three");
        SoftToken.key(slot, "mainstay");
        SoftToken.key(other, "mainstay");
    }

    private static TokenKey open(long where) {
        return open(SoftToken.LIBRARY, where, SoftToken.PIN, "mainstay");
    }

    private static TokenKey open(Path library, long where, String pin, String label) {
        return TokenKey.open(library, OptionalLong.of(where), pin.toCharArray(), label);
    }

    private static Credential token(long where) {
        return new Credential.Service(open(where));
    }

    private Repository open(Credential credential) {
        return Repository.open(store, Optional.of(credential), Ground.ofThisHost());
    }

    private static Json wrapped(byte[] root) {
        Json body = Json.object().put("recipient", "pkcs11").put("key", "mainstay");
        open(slot).wrap(root, PLACE, body, new SecureRandom());
        return body;
    }

    @Test
    void whatItWrapsItUnwrapsInTheSamePlaceOnly() {
        byte[] root = new byte[32];
        root[5] = 7;
        Json body = wrapped(root);
        assertThat(open(slot).unwrap(body, PLACE))
                .hasValueSatisfying(key -> assertThat(key).isEqualTo(root));
        assertThat(open(slot).unwrap(body, new RootKeyPlace(PLACE.repository(), 2))).isEmpty();
        assertThat(open(other).unwrap(body, PLACE)).isEmpty();
        byte[] bytes = HexFormat.of().parseHex(body.string("wrapped"));
        bytes[3]++;
        body.put("wrapped", HexFormat.of().formatHex(bytes));
        assertThat(open(slot).unwrap(body, PLACE)).isEmpty();
    }

    @Test
    void whatKeepsItFromWorkingIsTold() {
        for (Runnable broken :
                List.<Runnable>of(
                        () -> open(SoftToken.LIBRARY, slot, SoftToken.PIN, "none"),
                        () -> open(SoftToken.LIBRARY, locked, "9999", "mainstay"),
                        () -> open(SoftToken.LIBRARY, 4_000_000_000L, SoftToken.PIN, "mainstay"),
                        () -> open(Path.of("/absent.so"), slot, SoftToken.PIN, "mainstay"))) {
            assertThatThrownBy(broken::run)
                    .hasMessageContaining("PKCS#11 key")
                    .hasMessageNotContaining("9999")
                    .extracting("code")
                    .isEqualTo(ErrorCode.KEY_SERVICE);
        }
    }

    @Test
    void aRepositoryIsMadeOpenedAndRotatedWithIt() {
        Repository made = Repository.create(store, Optional.of(token(slot)), Ground.ofThisHost());
        made.sourceOrAdd("orders");
        assertThat(open(token(slot)).source("orders")).isPresent();
        assertThatThrownBy(() -> open(token(other)))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_WRONG);
        made.keys().add(FILE, Optional.empty());
        KeyRotation rotation = open(token(slot)).keys().rotation(List.of());
        assertThat(rotation.run(rotation.plan()).kept()).hasSize(2);
        assertThat(open(FILE).keys().epochs()).isEqualTo(Map.of(1, true, 2, true));
        assertThat(open(token(slot)).keys().epochs()).isEqualTo(Map.of(1, true, 2, true));
        List<Recipient> seen = open(FILE).keys().recipients().recipients();
        assertThat(seen)
                .filteredOn(each -> each.kind().equals("pkcs11"))
                .singleElement()
                .matches(each -> each.key().equals(Optional.of("mainstay")) && each.proven());
    }

    @Test
    void withoutTheTokenNoNewRootKeyIsWrappedForIt() {
        Repository made = Repository.create(store, Optional.of(FILE), Ground.ofThisHost());
        made.keys().add(token(slot), Optional.of("the HSM"));
        KeyRotation alone = open(FILE).keys().rotation(List.of());
        assertThatThrownBy(() -> alone.run(alone.plan()))
                .extracting("code")
                .isEqualTo(ErrorCode.KEY_LAST);
        KeyRotation both = open(FILE).keys().rotation(List.of(token(slot)));
        assertThat(both.run(both.plan()).kept()).hasSize(2);
        assertThat(open(token(slot)).keys().epochs()).isEqualTo(Map.of(1, true, 2, true));
    }
}
