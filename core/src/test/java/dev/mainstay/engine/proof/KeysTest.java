package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.RecordChain;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryKeys;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Several ways into one repository: losing one is not losing the data.
class KeysTest {
    private static final Credential FILE = new Credential.KeyFile(new byte[32]);
    private static final Credential PASSPHRASE = passphrase("open sesame");

    private final ObjectStore store = MemoryStore.create();
    private final SampleRepository sample = new SampleRepository(11, Optional.of(FILE));

    @BeforeEach
    void write() throws IOException {
        sample.write(store);
    }

    static Credential passphrase(String text) {
        return new Credential.Passphrase(text.getBytes(StandardCharsets.UTF_8));
    }

    private Repository open(Credential credential) {
        return Repository.open(store, Optional.of(credential), Ground.ofThisHost());
    }

    private RepositoryKeys keys() {
        return open(FILE).keys();
    }

    private void restoresEverythingWith(Credential credential) {
        Repository repository = open(credential);
        ProtectedSource source = repository.source("orders").orElseThrow();
        List<CommittedBackup> backups = source.backups();
        assertThat(backups).hasSize(sample.contents().size());
        for (int i = 0; i < backups.size(); i++) {
            Map<String, byte[]> expected = sample.contents().get(i);
            Map<String, byte[]> restored = SampleRepository.restore(source, backups.get(i));
            assertThat(restored.keySet()).isEqualTo(expected.keySet());
            expected.forEach((path, bytes) -> assertThat(restored.get(path)).isEqualTo(bytes));
        }
        assertThat(findings(repository)).isEmpty();
    }

    private static List<VerifyReport.Finding> findings(Repository repository) {
        return new Verification(repository, RepositoryCheck.Options.everything(), Progress.none())
                .run()
                .findings();
    }

    private static void refused(Runnable action, ErrorCode code) {
        assertThatThrownBy(action::run).extracting("code").isEqualTo(code);
    }

    private List<String> names(String prefix) {
        return store.list(prefix, "", 1000).objects().stream().map(StoredObject::name).toList();
    }

    @Test
    void whoLosesTheKeyFileRestoresWithThePassphrase() {
        refused(() -> open(PASSPHRASE), ErrorCode.KEY_WRONG);
        Recipient added = keys().add(PASSPHRASE, Optional.of("safe")).recipients().getFirst();
        assertThat(added.label()).contains("safe");
        assertThat(added.proven()).isTrue();
        restoresEverythingWith(PASSPHRASE);
        restoresEverythingWith(FILE);
        List<Recipient> seen = open(PASSPHRASE).keys().recipients().recipients();
        assertThat(seen).hasSize(2).allMatch(Recipient::proven);
        assertThat(seen.stream().filter(Recipient::opens).map(Recipient::id))
                .containsExactly(added.id());
    }

    @Test
    void theSameKeyIsNotAddedTwice() {
        refused(() -> keys().add(FILE, Optional.empty()), ErrorCode.KEY_RECIPIENT_EXISTS);
        keys().add(PASSPHRASE, Optional.empty());
        refused(() -> keys().add(PASSPHRASE, Optional.empty()), ErrorCode.KEY_RECIPIENT_EXISTS);
        assertThat(names("keys/root/")).hasSize(2);
        refused(() -> keys().add(passphrase("x"), Optional.of("a\nb")), ErrorCode.USAGE_INVALID);
    }

    @Test
    void theLastWayInIsNeverRemoved() {
        String own = keys().recipients().recipients().getFirst().id();
        refused(() -> keys().remove(own, Optional.empty()), ErrorCode.KEY_LAST);
        refused(() -> keys().remove(own, Optional.of(FILE)), ErrorCode.KEY_LAST);
        refused(() -> keys().remove(own, Optional.of(PASSPHRASE)), ErrorCode.KEY_LAST);
        refused(
                () -> keys().remove("0123456789abcdef", Optional.empty()),
                ErrorCode.KEY_RECIPIENT_UNKNOWN);
        keys().add(PASSPHRASE, Optional.empty());
        refused(() -> keys().remove(own, Optional.empty()), ErrorCode.KEY_LAST);
        keys().remove(own, Optional.of(PASSPHRASE));
        refused(() -> open(FILE), ErrorCode.KEY_WRONG);
        restoresEverythingWith(PASSPHRASE);
    }

    @Test
    void anotherRecipientIsRemovedByWhoCanOpen() {
        Recipient added = keys().add(PASSPHRASE, Optional.empty()).recipients().getFirst();
        assertThat(keys().remove(added.id(), Optional.empty()).recipients())
                .extracting(Recipient::id)
                .containsExactly(added.id());
        refused(() -> open(PASSPHRASE), ErrorCode.KEY_WRONG);
        restoresEverythingWith(FILE);
    }

    @Test
    void changesAreOnRecord() {
        Recipient added = keys().add(PASSPHRASE, Optional.of("safe")).recipients().getFirst();
        assertThat(keys().remove(added.id(), Optional.empty()).unrecorded()).isEmpty();
        assertThat(
                        open(FILE).source("orders").orElseThrow().records().records().stream()
                                .filter(record -> record.type().equals("key-change"))
                                .map(RecordChain.Event::body)
                                .map(body -> body.object("body"))
                                .map(body -> body.string("change") + " " + body.string("recipient"))
                                .toList())
                .containsExactly(
                        "recipient-added " + added.id(), "recipient-removed " + added.id());
    }

    @Test
    void aDamagedRecipientIsToldAndHidesNoOther() {
        Recipient added = keys().add(PASSPHRASE, Optional.empty()).recipients().getFirst();
        String name = "keys/root/00000001/" + added.id();
        store.delete(name);
        store.put(name, ByteBuffer.wrap(new byte[200]));
        RepositoryKeys.Listed listed = keys().recipients();
        assertThat(listed.recipients()).hasSize(1);
        assertThat(listed.damaged()).containsOnlyKeys(name);
        assertThat(findings(open(FILE))).extracting(VerifyReport.Finding::object).contains(name);
        keys().remove(added.id(), Optional.empty());
        restoresEverythingWith(FILE);
    }

    @Test
    void aLabelThatSomebodyElseWroteIsNotProven() {
        Recipient added = keys().add(PASSPHRASE, Optional.of("safe")).recipients().getFirst();
        Forged.label(store, "keys/root/00000001/" + added.id(), "boss");
        Recipient forged = keys().find(added.id());
        assertThat(forged.label()).contains("boss");
        assertThat(forged.proven()).isFalse();
        assertThat(findings(open(FILE)))
                .extracting(VerifyReport.Finding::code)
                .containsExactly(ErrorCode.KEY_OBJECT_DAMAGED);
    }
}
