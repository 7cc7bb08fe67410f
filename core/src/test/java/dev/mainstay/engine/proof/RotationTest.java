package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.wal.SampleLog;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.KeyRotation;
import dev.mainstay.repository.KeyRotation.Step;
import dev.mainstay.repository.KeyRotation.Way;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.RepositoryKeys;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.CredentialKeys;
import dev.mainstay.repository.crypto.RootKeyPlace;
import dev.mainstay.repository.crypto.WrappedKey;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// New root keys: for whom, what the old ones still open, and that nobody can slip one in.
class RotationTest {
    private static final Credential FILE = new Credential.KeyFile(new byte[32]);
    private static final Credential SECOND = new Credential.KeyFile("second", filled(2));
    private static final Credential PASSPHRASE = KeysTest.passphrase("open sesame");

    private final ObjectStore store = MemoryStore.create();
    private final SampleRepository sample = new SampleRepository(11, Optional.of(FILE));
    private final Random ids = new Random(5);
    private Instant now = Instant.parse("2026-11-22T00:00:00Z");

    @BeforeEach
    void write() throws IOException {
        sample.write(store);
    }

    private static byte[] filled(int value) {
        byte[] bytes = new byte[32];
        java.util.Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    private Repository open(Credential credential) {
        return open(store, credential);
    }

    private Repository open(ObjectStore on, Credential credential) {
        return Repository.open(on, Optional.of(credential), new Ground(() -> now, ids));
    }

    private ProtectedSource source(Credential credential) {
        return open(credential).source("orders").orElseThrow();
    }

    private KeyRotation.Result rotate(Credential credential, Credential... others) {
        KeyRotation rotation = open(credential).keys().rotation(List.of(others));
        return rotation.run(rotation.plan());
    }

    private static void refused(Runnable action, ErrorCode code) {
        assertThatThrownBy(action::run).extracting("code").isEqualTo(code);
    }

    private List<String> names(String prefix) {
        return store.list(prefix, "", 1000).objects().stream().map(StoredObject::name).toList();
    }

    private void readsEverythingWith(Credential credential) {
        ProtectedSource source = source(credential);
        for (CommittedBackup backup : source.backups()) {
            assertThat(SampleRepository.restore(source, backup))
                    .containsExactlyInAnyOrderEntriesOf(sample.content(backup.id()));
        }
        assertThat(source.records().damaged()).isEmpty();
        assertThat(
                        new Verification(
                                        open(credential),
                                        RepositoryCheck.Options.everything(),
                                        Progress.none())
                                .run()
                                .findings())
                .isEmpty();
    }

    /// The root epoch, and source key epoch, that sealed an object.
    private int epochOf(String name) {
        return ByteBuffer.wrap(store.get(name, 12, 4)).getInt();
    }

    @Test
    void whatIsNewIsSealedWithNewKeysAndOldAndNewStayReadable() throws IOException {
        open(FILE).keys().add(PASSPHRASE, Optional.empty());
        KeyRotation.Result result = rotate(FILE);
        assertThat(result.epoch()).isEqualTo(2);
        assertThat(result.kept()).hasSize(2);
        assertThat(result.dropped()).isEmpty();
        assertThat(result.failed()).isEmpty();
        assertThat(result.sources()).containsExactly("orders");
        List<String> before = names("packs/");
        ProtectedSource source = source(PASSPHRASE);
        CommittedBackup fresh = sample.backUpUpon(source, source.backups().getLast());
        assertThat(epochOf("slots/" + source.id() + "/" + fresh.id())).isEqualTo(2);
        List<String> packs = names("packs/");
        assertThat(packs.stream().filter(pack -> !before.contains(pack)))
                .isNotEmpty()
                .allMatch(pack -> epochOf(pack) == 2);
        assertThat(before).allMatch(pack -> epochOf(pack) == 1);
        readsEverythingWith(FILE);
        readsEverythingWith(PASSPHRASE);
        rotate(PASSPHRASE);
        readsEverythingWith(FILE);
        assertThat(open(FILE).keys().epochs()).isEqualTo(Map.of(1, true, 2, true, 3, true));
        open(FILE).keys().add(SECOND, Optional.of("late"));
        readsEverythingWith(SECOND);
    }

    @Test
    void whoIsLeftOutReadsWhatIsOldAndWritesNothing() throws IOException {
        Recipient left = open(FILE).keys().add(SECOND, Optional.empty()).recipients().getFirst();
        List<CommittedBackup> old = source(FILE).backups();
        KeyRotation rotation = open(FILE).keys().rotation(List.of());
        KeyRotation.Result result =
                rotation.run(
                        rotation.plan().stream()
                                .filter(step -> !step.recipient().id().equals(left.id()))
                                .toList());
        assertThat(result.dropped()).extracting(Recipient::id).containsExactly(left.id());
        CommittedBackup fresh = sample.backUpAgain(source(FILE));
        ProtectedSource seen = source(SECOND);
        assertThat(SampleRepository.restore(seen, old.getFirst()))
                .containsExactlyInAnyOrderEntriesOf(sample.content(old.getFirst().id()));
        refused(() -> seen.backup(fresh.id()), ErrorCode.KEY_MISSING);
        refused(() -> seen.records().append("note", Json.object()), ErrorCode.KEY_SUPERSEDED);
        refused(() -> open(SECOND).sourceOrAdd("another"), ErrorCode.KEY_SUPERSEDED);
        refused(
                () -> open(SECOND).keys().add(PASSPHRASE, Optional.empty()),
                ErrorCode.KEY_SUPERSEDED);
        refused(() -> rotate(SECOND), ErrorCode.KEY_SUPERSEDED);
        assertThat(open(SECOND).keys().epochs()).isEqualTo(Map.of(1, true, 2, false));
        readsEverythingWith(FILE);
    }

    @Test
    void whoCameInMustNotLeaveHimselfOut() {
        open(FILE).keys().add(SECOND, Optional.empty());
        KeyRotation rotation = open(FILE).keys().rotation(List.of());
        List<Step> others =
                rotation.plan().stream().filter(step -> !step.recipient().opens()).toList();
        refused(() -> rotation.run(others), ErrorCode.KEY_LAST);
        assertThat(names("keys/epoch/")).isEmpty();
    }

    @Test
    void aRecipientOfAnOlderProgramNeedsItsSecret() {
        Recipient older = open(FILE).keys().add(SECOND, Optional.empty()).recipients().getFirst();
        String name = "keys/root/00000001/" + older.id();
        Json body = Json.object();
        Json modern = Forged.read(store, name);
        for (String field : List.of("recipient", "kdf", "salt", "nonce", "wrapped", "repository")) {
            body.put(field, modern.string(field));
        }
        Forged.put(store, name, body);
        refused(() -> rotate(FILE), ErrorCode.KEY_LAST);
        assertThat(open(FILE).keys().rotation(List.of()).plan())
                .filteredOn(step -> step.recipient().id().equals(older.id()))
                .extracting(Step::way)
                .containsExactly(Way.NONE);
        rotate(FILE, SECOND);
        readsEverythingWith(SECOND);
    }

    /// Somebody who can write to the store has a recipient of his own, or changes one's public key.
    @Test
    void nobodyGetsTheNewRootKeyByWritingToTheStore() {
        Recipient added = open(FILE).keys().add(SECOND, Optional.empty()).recipients().getFirst();
        CredentialKeys thief = new CredentialKeys(PASSPHRASE);
        Json his = WrappedKey.recipient(thief, Optional.empty(), now, new Random(1));
        String id = open(FILE).id();
        byte[] guess = filled(9);
        Json planted = WrappedKey.wrap(his, thief, guess, new RootKeyPlace(id, 1), new Random(2));
        Forged.put(store, "keys/root/00000001/" + WrappedKey.recipientId(planted), planted);
        String name = "keys/root/00000001/" + added.id();
        Forged.put(store, name, Forged.read(store, name).put("public", his.string("public")));
        KeyRotation rotation = open(FILE).keys().rotation(List.of());
        List<Step> steps = rotation.plan();
        assertThat(steps).hasSize(3);
        assertThat(steps.stream().filter(step -> step.way() != Way.NONE))
                .singleElement()
                .matches(step -> step.recipient().opens());
        refused(() -> rotation.run(steps), ErrorCode.KEY_LAST);
    }

    /// He wraps a root key of his own with a recipient's public key, so that what comes is sealed
    /// with it.
    @Test
    void nobodySlipsInARootKeyOfHisOwn() {
        String own = open(FILE).keys().recipients().recipients().getFirst().id();
        Json body = Forged.read(store, "keys/root/00000001/" + own);
        byte[] his = filled(7);
        Json forged =
                WrappedKey.wrapUnseen(
                                WrappedKey.recipientOf(body),
                                his,
                                new RootKeyPlace(open(FILE).id(), 2),
                                new Random(3))
                        .orElseThrow();
        Forged.put(store, "keys/root/00000002/" + own, forged);
        Forged.put(
                store,
                "keys/epoch/00000002",
                Json.object().put("epoch", 2).put("check", "00").put("created", now.toString()));
        Repository opened = open(FILE);
        assertThat(opened.keys().epochs()).isEqualTo(Map.of(1, true));
        opened.source("orders").orElseThrow().records().append("note", Json.object());
        assertThat(names("records/")).allMatch(record -> epochOf(record) == 1);
        assertThat(rotate(FILE).epoch()).isEqualTo(3);
        assertThat(open(FILE).keys().epochs()).isEqualTo(Map.of(1, true, 3, true));
    }

    @Test
    void whoIsOpenLongSeesTheNewEpochAndReadsItAtOnce() throws IOException {
        ProtectedSource resident = source(FILE);
        rotate(FILE);
        CommittedBackup fresh = sample.backUpAgain(source(FILE));
        assertThat(SampleRepository.restore(resident, resident.backup(fresh.id())))
                .containsExactlyInAnyOrderEntriesOf(sample.content(fresh.id()));
        now = now.plus(Duration.ofMinutes(6));
        String record = resident.records().append("note", Json.object());
        assertThat(epochOf(record)).isEqualTo(2);
    }

    @Test
    void aWriterThatDoesNotKnowTheNewEpochGoesOnSafely() throws IOException {
        ProtectedSource resident = source(FILE);
        rotate(FILE);
        var segment = SampleLog.segment(SampleRepository.FIRST_SEGMENT + SampleRepository.SEGMENTS);
        resident.wal(SampleRepository.SYSTEM, 3)
                .put(segment, SampleLog.segments(7, 4, 6).getLast());
        CommittedBackup late = sample.backUpAgain(resident);
        assertThat(source(FILE).backups()).extracting(CommittedBackup::id).contains(late.id());
        readsEverythingWith(FILE);
    }

    /// Killed at every call of the store, a rotation leaves a repository that all recipients open
    /// and write, and the next one succeeds.
    @Test
    void killedAnywhereItLeavesARepositoryThatAllOpen() {
        open(FILE).keys().add(SECOND, Optional.empty());
        int at = 1;
        while (!diesAt(at, at % 2 == 0)) {
            at++;
        }
        assertThat(at).isGreaterThan(20);
    }

    /// @return whether the rotation was done before
    private boolean diesAt(int call, boolean happens) {
        ObjectStore left = HookedStore.copy(store);
        HookedStore mortal = new HookedStore(left);
        KeyRotation dying = open(mortal, FILE).keys().rotation(List.of());
        List<Step> steps = dying.plan();
        mortal.dieAt(call, happens);
        boolean done;
        try {
            dying.run(steps);
            done = true;
        } catch (HookedStore.Killed killed) {
            done = false;
        }
        for (Credential each : List.of(FILE, SECOND)) {
            open(left, each).source("orders").orElseThrow().records().append("n", Json.object());
            for (Credential other : List.of(FILE, SECOND)) {
                ProtectedSource seen = open(left, other).source("orders").orElseThrow();
                assertThat(seen.records().damaged()).as("call " + call).isEmpty();
            }
        }
        KeyRotation again = open(left, SECOND).keys().rotation(List.of());
        KeyRotation.Result result = again.run(again.plan());
        assertThat(result.kept()).as("call " + call).hasSize(2);
        assertThat(result.failed()).isEmpty();
        assertThat(open(left, FILE).keys().behind()).isEmpty();
        return done;
    }

    @Test
    void keysOfAnEpochThatNeverBeganAreIgnored() {
        String own = open(FILE).keys().recipients().recipients().getFirst().id();
        Json body = Forged.read(store, "keys/root/00000001/" + own);
        Forged.put(store, "keys/root/00000002/" + own, body);
        RepositoryKeys keys = open(FILE).keys();
        assertThat(keys.epochs()).isEqualTo(Map.of(1, true));
        assertThat(keys.recipients().recipients().getFirst().epochs()).containsExactly(1);
    }
}
