package dev.mainstay.repository;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.repository.AuditState.Kept;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.crypto.SigningKey;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.storage.wrap.Throttle;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/// Whatever is done to a trail that was published is named.
class AuditProofTest {
    private static final Instant BEGIN = Instant.parse("2026-11-22T10:00:00Z");
    private static final Credential KEY = new Credential.KeyFile(new byte[32]);

    private final AtomicLong seconds = new AtomicLong();
    private final Ground ground = new Ground(() -> BEGIN.plusSeconds(seconds.get()), new Random(7));
    private final ObjectStore store = MemoryStore.create();
    private final Repository repository = Repository.create(store, Optional.of(KEY), ground);
    private final AuditArchive archive = new AuditArchive(repository);
    private final FakeState state = new FakeState();

    /// A server's state that somebody can get at.
    private static final class FakeState implements AuditState {
        String trail = "";
        String sealedKey = "";
        long published;
        long number;
        String hash = AuditEntry.NONE;
        final List<Kept> kept = new ArrayList<>();

        @Override
        public End end() {
            return new End(trail, number, hash, published);
        }

        @Override
        public List<String> trails() {
            return kept.stream().map(each -> each.entry().trail()).distinct().toList();
        }

        @Override
        public List<Kept> entries(String of, long from, long to) {
            return kept.stream()
                    .filter(each -> each.entry().trail().equals(of))
                    .filter(each -> each.entry().number() >= from && each.entry().number() <= to)
                    .toList();
        }

        void add(AuditEntry entry) {
            kept.add(new Kept(entry, entry.hash()));
            number = entry.number();
            hash = entry.hash();
        }
    }

    private static AuditFacts facts(String target) {
        return new AuditFacts(
                BEGIN, "s1", "token 1 (first)", "127.0.0.1", "POST /api/v1/jobs", target, "202", 1);
    }

    private void begin() {
        state.trail = AuditArchive.newTrail(ground);
        state.sealedKey = archive.newKey(state.trail);
        state.number = 0;
        state.hash = AuditEntry.NONE;
        state.published = 0;
        archive.begin(state.trail, state.sealedKey);
    }

    private void happen(int count) {
        for (int i = 0; i < count; i++) {
            state.add(new AuditEntry(state.trail, state.number + 1, state.hash, facts("job " + i)));
        }
    }

    private AuditPublication publish() {
        seconds.addAndGet(60);
        AuditPublication newest = archive.newest(state.trail, state.published).orElseThrow();
        List<AuditEntry> fresh =
                state.entries(state.trail, newest.last() + 1, state.number).stream()
                        .map(Kept::entry)
                        .toList();
        AuditPublication put = archive.publish(newest, state.sealedKey, fresh);
        state.published = put.last();
        return put;
    }

    @BeforeEach
    void aTrailWithThreeHeadsAndTwoEntriesBehindThem() {
        begin();
        for (int i = 0; i < 3; i++) {
            happen(4);
            publish();
        }
        happen(2);
    }

    private AuditProof.Report proof() {
        return new AuditProof(repository, Optional.of(state)).run();
    }

    private AuditProof.Report alone() {
        return new AuditProof(repository, Optional.empty()).run();
    }

    private static void names(AuditProof.Report report, String... words) {
        assertThat(report.ok()).isFalse();
        assertThat(report.findings()).anySatisfy(each -> assertThat(each).contains(words));
    }

    /// As somebody would who recomputes everything that he can.
    private void rewrite(int index, AuditFacts other) {
        List<Kept> old = List.copyOf(state.kept.subList(index, state.kept.size()));
        state.kept.subList(index, state.kept.size()).clear();
        String previous = index == 0 ? AuditEntry.NONE : state.kept.getLast().hash();
        state.hash = previous;
        state.add(new AuditEntry(state.trail, index + 1L, previous, other));
        for (Kept each : old.subList(1, old.size())) {
            AuditEntry entry = each.entry();
            state.add(new AuditEntry(state.trail, entry.number(), state.hash, entry.facts()));
        }
    }

    @Test
    void whatNobodyTouchedIsProvedFromBothAndFromTheRepositoryAlone() {
        for (AuditProof.Report report : List.of(proof(), alone())) {
            assertThat(report.findings()).isEmpty();
            AuditProof.Trail trail = report.trails().getFirst();
            assertThat(trail.published()).isEqualTo(12);
            assertThat(trail.head()).isEqualTo(state.kept.get(11).hash());
            assertThat(trail.when()).contains(BEGIN.plusSeconds(180));
        }
        assertThat(proof().trails().getFirst().entries()).isEqualTo(14);
        List<AuditEntry> read = new ArrayList<>();
        archive.entries(read::add);
        assertThat(read).isEqualTo(state.kept.subList(0, 12).stream().map(Kept::entry).toList());
    }

    @Test
    void anAlteredEntryIsNamed() {
        Kept old = state.kept.get(5);
        state.kept.set(
                5,
                new Kept(
                        new AuditEntry(
                                state.trail, 6, old.entry().previous(), facts("something else")),
                        old.hash()));
        names(proof(), "entry 6 ", "was altered");
        state.kept.set(5, old);
        rewrite(5, facts("something else"));
        names(proof(), "entry 6 ", "another one was published");
        assertThat(alone().ok()).isTrue();
    }

    @Test
    void anAlteredEntryThatIsNotPublishedYetIsNamedUnlessAllBehindItIsRewritten() {
        Kept old = state.kept.get(12);
        AuditEntry changed =
                new AuditEntry(state.trail, 13, old.entry().previous(), facts("changed"));
        state.kept.set(12, new Kept(changed, old.hash()));
        names(proof(), "entry 13 ", "was altered");
        AuditEntry other = new AuditEntry(state.trail, 13, old.entry().previous(), facts("other"));
        state.kept.set(12, new Kept(other, other.hash()));
        names(proof(), "entry 14 ", "does not follow");
    }

    @Test
    void oneThatIsRemovedInTheMiddleIsNamed() {
        state.kept.remove(6);
        names(proof(), "entry 7 ", "was removed");
    }

    @Test
    void twoThatChangePlacesAreNamed() {
        AuditEntry third = state.kept.get(2).entry();
        AuditEntry fourth = state.kept.get(3).entry();
        AuditEntry first = new AuditEntry(state.trail, 3, third.previous(), fourth.facts());
        state.kept.set(2, new Kept(first, first.hash()));
        AuditEntry second = new AuditEntry(state.trail, 4, first.hash(), facts("job 2 moved"));
        state.kept.set(3, new Kept(second, second.hash()));
        names(proof(), "entry 3 ", "another one was published");
    }

    @Test
    void aTailThatIsCutOffIsNamedWhereverItIsCut() {
        state.kept.subList(13, 14).clear();
        names(proof(), "entries 14 to 14", "removed from the state");
        state.kept.subList(10, 13).clear();
        state.number = 10;
        state.hash = state.kept.getLast().hash();
        names(proof(), "cut off");
    }

    @Test
    void headsThatAreRemovedAreNamed() {
        String second = Names.audit(state.trail, 8);
        byte[] bytes = store.get(second, 0, store.size(second).orElseThrow().intValue());
        store.delete(second);
        names(alone(), "head " + second, "was removed");
        names(alone(), "entries 5 to 8", "missing");
        store.put(second, ByteBuffer.wrap(bytes));
        assertThat(alone().ok()).isTrue();
        store.delete(Names.audit(state.trail, 12));
        assertThat(alone().ok()).as("only the state knows").isTrue();
        names(proof(), "up to entry 12", "removed from the repository");
        store.delete(Names.audit(state.trail, 0));
        names(alone(), "public key, was removed");
    }

    @Test
    void anOldHeadUnderANewNameIsNamed() {
        String old = Names.audit(state.trail, 4);
        store.put(
                Names.audit(state.trail, 13),
                ByteBuffer.wrap(store.get(old, 0, store.size(old).orElseThrow().intValue())));
        names(alone(), "MS-0305", "under another name");
    }

    @Test
    void aHeadThatIsSignedWithAnotherKeyIsNamed() {
        AuditPublication before = archive.newest(state.trail, 0).orElseThrow();
        AuditEntry entry = state.kept.get(12).entry();
        byte[] forged =
                AuditPublication.write(
                        repository.rootVault(),
                        repository.id(),
                        new AuditPublication.Draft(
                                state.trail,
                                List.of(entry),
                                BEGIN,
                                Optional.empty(),
                                List.of(before.asEarlier())),
                        new SigningKey(new byte[32]));
        store.put(Names.audit(state.trail, 13), ByteBuffer.wrap(forged));
        names(alone(), "signed with another key");
        assertThat(alone().trails().getFirst().published()).isEqualTo(12);
    }

    @Test
    void aHeadThatWasReplacedByOneOfTheRightKeyIsNamedByTheNext() {
        String second = Names.audit(state.trail, 8);
        AuditPublication first = archive.read(Names.audit(state.trail, 4));
        store.delete(second);
        seconds.addAndGet(1);
        archive.publish(
                first,
                state.sealedKey,
                state.kept.subList(4, 8).stream().map(Kept::entry).toList());
        names(alone(), "was replaced");
    }

    @Test
    void theNewestHeadOfALostStateIsKeptByTheNextTrail() {
        String lost = state.trail;
        state.kept.clear();
        begin();
        happen(1);
        publish();
        assertThat(proof().findings()).isEmpty();
        assertThat(proof().trails()).hasSize(2);
        store.delete(Names.audit(lost, 12));
        names(alone(), "head " + Names.audit(lost, 12), "was removed");
    }

    @Test
    void twoServersThatPublishAtTheSameTimeContradictEachOtherInNothing() {
        AuditPublication newest = archive.newest(state.trail, 0).orElseThrow();
        List<AuditEntry> fresh = state.kept.subList(12, 14).stream().map(Kept::entry).toList();
        archive.publish(newest, state.sealedKey, fresh.subList(0, 1));
        archive.publish(newest, state.sealedKey, fresh);
        archive.publish(newest, state.sealedKey, fresh);
        assertThat(proof().findings()).isEmpty();
        assertThat(proof().trails().getFirst().published()).isEqualTo(14);
    }

    @Test
    void verifyAndCopyKnowThem() {
        try (ObjectStore copy = MemoryStore.create()) {
            new RepositoryCopy(repository, copy, Throttle.of(Optional.empty()), 0, _ -> {}).run();
            Repository second = Repository.open(copy, Optional.of(KEY), ground);
            assertThat(new AuditProof(second, Optional.of(state)).run().findings()).isEmpty();
        }
        assertThat(verified().contents().unknownCount()).isZero();
        assertThat(verified().ok()).isTrue();
        String second = Names.audit(state.trail, 8);
        byte[] bytes = store.get(second, 0, store.size(second).orElseThrow().intValue());
        bytes[bytes.length / 2] ^= 1;
        store.delete(second);
        store.put(second, ByteBuffer.wrap(bytes));
        assertThat(verified().ok()).isFalse();
    }

    private dev.mainstay.engine.proof.VerifyReport verified() {
        return new Verification(repository, RepositoryCheck.Options.everything(), Progress.none())
                .run();
    }

    @Test
    void theSignatureIsWhatTheJdkCallsEd25519() throws Exception {
        SigningKey key = new SigningKey(HexFormat.of().parseHex("11".repeat(32)));
        byte[] message = {1, 2, 3};
        Signature jdk = Signature.getInstance("Ed25519");
        byte[] prefix = HexFormat.of().parseHex("302a300506032b6570032100");
        byte[] spki = ByteBuffer.allocate(44).put(prefix).put(key.publicKey()).array();
        jdk.initVerify(
                KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(spki)));
        jdk.update(message);
        assertThat(jdk.verify(key.sign(message))).isTrue();
        assertThat(SigningKey.isSigned(key.publicKey(), new byte[] {1, 2, 4}, key.sign(message)))
                .isFalse();
    }
}
