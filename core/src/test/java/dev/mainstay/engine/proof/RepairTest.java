package dev.mainstay.engine.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Donor;
import dev.mainstay.repository.Foundations;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.LostFile;
import dev.mainstay.repository.ObjectRepair.Repaired;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// Whatever is damaged or missing here and whole in a copy is whole here afterwards; what is whole
/// nowhere is named with the backups and files that it costs. `-Ddamages=1000` runs more,
/// `-Dseed=N` others.
class RepairTest {
    private static final Credential KEY = new Credential.KeyFile(new byte[32]);
    private static final long SEED = Long.getLong("seed", 20261122);

    private ObjectStore store = MemoryStore.create();
    private ObjectStore copy = MemoryStore.create();
    private SampleRepository sample = new SampleRepository(1, Optional.of(KEY));

    @BeforeEach
    void write() throws IOException {
        sample.write(store);
        copy = HookedStore.copy(store);
    }

    private Repair.Report repair(ObjectStore here, ObjectStore... copies) {
        List<Donor> donors = new ArrayList<>();
        for (ObjectStore each : copies) {
            donors.add(new Donor("copy-" + donors.size(), each));
        }
        List<Repaired> first = Foundations.repair(here, donors, Ground.ofThisHost());
        Repair.Report report =
                new Repair(
                                () -> sample.open(here),
                                donors,
                                RepositoryCheck.Options.everything(),
                                Progress.none())
                        .run();
        List<Repaired> all = new ArrayList<>(first);
        all.addAll(report.repaired());
        return new Repair.Report(all, report.left(), report.unasked());
    }

    private VerifyReport verify(ObjectStore here) {
        return new Verification(
                        sample.open(here), RepositoryCheck.Options.everything(), Progress.none())
                .run();
    }

    private static byte[] bytes(ObjectStore of, String name) {
        return of.get(name, 0, Math.toIntExact(of.size(name).orElseThrow()));
    }

    private static Map<String, byte[]> objects(ObjectStore of) {
        Map<String, byte[]> objects = new TreeMap<>();
        of.list("", "", 10_000)
                .objects()
                .forEach(each -> objects.put(each.name(), bytes(of, each.name())));
        return objects;
    }

    private static String first(ObjectStore of, String prefix) {
        return of.list(prefix, "", 1).objects().getFirst().name();
    }

    private static void assertSame(ObjectStore here, ObjectStore there, String where) {
        Map<String, byte[]> ours = objects(here);
        Map<String, byte[]> theirs = objects(there);
        assertThat(ours.keySet()).as(where).isEqualTo(theirs.keySet());
        ours.forEach(
                (name, bytes) ->
                        assertThat(Arrays.equals(bytes, theirs.get(name)))
                                .as(where + ": " + name)
                                .isTrue());
    }

    /// One way to damage an object.
    private static String damage(ObjectStore here, String name, Random random) {
        byte[] bytes = bytes(here, name);
        return switch (random.nextInt(3)) {
            case 0 -> {
                here.delete(name);
                yield "missing " + name;
            }
            case 1 -> {
                here.replace(name, ByteBuffer.wrap(bytes, 0, random.nextInt(bytes.length)));
                yield "shorter " + name;
            }
            default -> {
                int at = random.nextInt(bytes.length);
                bytes[at] ^= (byte) (1 << random.nextInt(8));
                here.replace(name, ByteBuffer.wrap(bytes));
                yield "byte " + at + " of " + name;
            }
        };
    }

    /// Objects that nobody misses when they are gone.
    private static boolean isMissed(String name) {
        return !name.startsWith("parts/")
                && !name.startsWith("summaries/")
                && !name.endsWith(".history")
                && !name.endsWith("000000010000000000000008");
    }

    private void assertRestores(ObjectStore here, String where) {
        ProtectedSource source = sample.open(here).source("orders").orElseThrow();
        assertThat(source.backups()).as(where).hasSize(2);
        for (CommittedBackup backup : source.backups()) {
            assertSameContent(source, backup, sample.content(backup.id()), where);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anySingleDamageIsPutRightFromACopy(boolean sealed) throws IOException {
        if (!sealed) {
            store = MemoryStore.create();
            sample = new SampleRepository(2, Optional.empty());
            sample.write(store);
            copy = HookedStore.copy(store);
        }
        Random random = new Random(SEED);
        int rounds = Integer.getInteger("damages", 3);
        for (int round = 0; round < rounds; round++) {
            for (String name : objects(copy).keySet()) {
                ObjectStore here = HookedStore.copy(copy);
                String where = "seed " + SEED + ": " + damage(here, name, random);
                boolean missed = here.size(name).isPresent() || isMissed(name);
                Repair.Report report = repair(here, copy);
                assertThat(report.left().findings()).as(where).isEmpty();
                assertThat(report.repaired().stream().map(Repaired::object))
                        .as(where)
                        .isEqualTo(missed ? List.of(name) : List.of());
                if (missed && !name.startsWith("index/")) {
                    assertSame(here, copy, where);
                }
                assertRestores(here, where);
            }
        }
    }

    @Test
    void manyDamagesAtOnceArePutRightFromTwoCopiesOfWhichOneIsDamagedToo() {
        Random random = new Random(SEED);
        ObjectStore second = HookedStore.copy(copy);
        List<String> names = new ArrayList<>(objects(store).keySet());
        ObjectStore whole = HookedStore.copy(copy);
        for (int i = 0; i < names.size(); i++) {
            if (random.nextInt(3) > 0 && isMissed(names.get(i))) {
                damage(store, names.get(i), random);
                damage(i % 2 == 0 ? copy : second, names.get(i), random);
            }
        }
        Repair.Report report = repair(store, copy, second);
        assertThat(report.left().findings()).as("seed " + SEED).isEmpty();
        assertRestores(store, "seed " + SEED);
        for (String name : names) {
            if (!name.startsWith("index/")) {
                assertThat(bytes(store, name)).as(name).isEqualTo(bytes(whole, name));
            }
        }
    }

    @Test
    void formatAndRootKeyComeFromDifferentCopies() {
        Random random = new Random(SEED);
        ObjectStore second = HookedStore.copy(copy);
        ObjectStore whole = HookedStore.copy(copy);
        String key =
                objects(copy).keySet().stream()
                        .filter(name -> name.startsWith("keys/root/"))
                        .findFirst()
                        .orElseThrow();
        for (ObjectStore each : List.of(store, second)) {
            damage(each, "format", random);
        }
        for (ObjectStore each : List.of(store, copy)) {
            damage(each, key, random);
        }
        assertThat(repair(store, copy, second).left().findings()).as("seed " + SEED).isEmpty();
        for (String name : List.of("format", key)) {
            assertThat(bytes(store, name)).as(name).isEqualTo(bytes(whole, name));
        }
    }

    @Test
    void withoutACopyWhatIsLostIsNamedAndNothingElseChanges() {
        Random random = new Random(SEED);
        for (String name : objects(copy).keySet()) {
            ObjectStore here = HookedStore.copy(copy);
            byte[] damaged = bytes(here, name);
            Arrays.fill(damaged, 90, damaged.length, (byte) random.nextInt(256));
            here.replace(name, ByteBuffer.wrap(damaged));
            VerifyReport before;
            try {
                before = verify(here);
            } catch (MainstayException refused) {
                assertThat(name).matches("format|keys/root/.*");
                continue;
            }
            Set<String> others = new TreeSet<>(objects(here).keySet());
            Repair.Report report = repair(here);
            if (name.startsWith("index/") || name.startsWith("summaries/")) {
                assertThat(report.left().findings()).as(name).isEmpty();
                assertRestores(here, name);
            } else {
                assertThat(report.left().findings())
                        .as(name)
                        .containsExactlyInAnyOrderElementsOf(before.findings());
                Set<String> after = new TreeSet<>(objects(here).keySet());
                after.removeAll(others);
                assertThat(after).as(name).allMatch(each -> each.startsWith("records/"));
                assertThat(after).as(name).hasSizeLessThan(2);
            }
            for (String other : others) {
                if (!other.equals(name)) {
                    assertThat(bytes(here, other)).as(other).isEqualTo(bytes(copy, other));
                }
            }
        }
    }

    /// What a restore cannot bring back is exactly what the report names.
    @Test
    void exactlyTheAffectedBackupsAndFilesAreNamed() {
        Random random = new Random(SEED);
        for (StoredObject pack : copy.list("packs/", "", 1000).objects()) {
            ObjectStore here = HookedStore.copy(copy);
            String where = "seed " + SEED + ": " + damage(here, pack.name(), random);
            VerifyReport left = repair(here).left();
            Set<BackupId> named = new HashSet<>();
            left.findings().forEach(each -> named.addAll(each.backups()));
            Set<BackupId> lost = new HashSet<>();
            ProtectedSource source = sample.open(here).source("orders").orElseThrow();
            for (CommittedBackup backup : source.backups()) {
                try {
                    SampleRepository.restore(source, backup);
                } catch (MainstayException refused) {
                    lost.add(backup.id());
                }
            }
            assertThat(named).as(where).isEqualTo(lost);
            boolean content = !pack.name().startsWith("packs/metadata");
            if (content) {
                Set<BackupId> ofFiles =
                        left.contents().lostFiles().stream()
                                .flatMap(file -> file.backups().stream())
                                .collect(Collectors.toSet());
                assertThat(ofFiles).as(where).isEqualTo(lost);
            }
        }
    }

    @Test
    void lostPagesAreNamedByFileAndBlock() {
        String pack = first(store, "packs/base/");
        byte[] damaged = bytes(store, pack);
        damaged[200] ^= 1; // in the first frame
        store.replace(pack, ByteBuffer.wrap(damaged));
        List<LostFile> lost = repair(store).left().contents().lostFiles();
        assertThat(lost).isNotEmpty();
        assertThat(lost.getFirst().path()).startsWith("base/5/");
        assertThat(lost.getFirst().pages()).startsWith("0");
        assertThat(lost.stream().map(LostFile::path).distinct()).hasSize(1);
    }

    @Test
    void aPackThatIsDamagedEverywhereIsPutTogether() {
        String pack = first(store, "packs/base/");
        byte[] whole = bytes(store, pack);
        byte[] early = whole.clone();
        early[150] ^= 1;
        store.replace(pack, ByteBuffer.wrap(early));
        byte[] late = whole.clone();
        late[late.length - 40] ^= 1; // its directory
        copy.replace(pack, ByteBuffer.wrap(late));
        Repair.Report report = repair(store, copy);
        assertThat(report.left().findings()).isEmpty();
        assertThat(report.repaired().getFirst().how()).contains("2 that are damaged");
        assertThat(bytes(store, pack)).isEqualTo(whole);
        byte[] trailer = whole.clone();
        trailer[trailer.length - 1] ^= 1;
        store.replace(pack, ByteBuffer.wrap(trailer));
        assertThat(repair(store).left().findings()).as("the end can be made again").isEmpty();
        assertThat(bytes(store, pack)).isEqualTo(whole);
    }

    @Test
    void aLongGapInTheLogIsFilled() {
        for (int i = 1; i < SampleRepository.SEGMENTS - 1; i++) {
            store.delete(copy.list("wal/", "", 100).objects().get(i).name());
        }
        Repair.Report report = repair(store, copy);
        assertThat(report.left().findings()).isEmpty();
        assertThat(report.repaired()).hasSize(SampleRepository.SEGMENTS - 2);
        assertSame(store, copy, "all of it");
    }

    @Test
    void whatHidesBehindDamageIsFoundAndPutRight() {
        for (String prefix : List.of("keys/source/", "slots/", "packs/metadata/", "packs/base/")) {
            for (StoredObject object : copy.list(prefix, "", 100).objects()) {
                store.delete(object.name());
            }
        }
        Repair.Report report = repair(store, copy);
        assertThat(report.left().findings()).isEmpty();
        assertSame(store, copy, "all of it");
    }

    @Test
    void whatIsWellIsNotTouched() {
        HookedStore watched = new HookedStore(store);
        HookedStore alone = new HookedStore(HookedStore.copy(store));
        new Repair(
                        () -> sample.open(alone),
                        List.of(),
                        RepositoryCheck.Options.everything(),
                        Progress.none())
                .run();
        assertThat(repair(watched, copy).repaired()).isEmpty();
        assertSame(store, copy, "nothing happened");
    }

    @Test
    void anotherRepositoryIsNoCopyAndAnEmptyPlaceIsNotFilled() throws IOException {
        ObjectStore other = MemoryStore.create();
        new SampleRepository(9, Optional.of(KEY)).write(other);
        store.delete("format");
        assertCode(ErrorCode.REPOSITORY_FOREIGN, () -> repair(store, other));
        assertThat(store.size("format")).isEmpty();
        ObjectStore unmounted = MemoryStore.create();
        assertCode(ErrorCode.REPOSITORY_MISSING, () -> repair(unmounted, copy));
        assertThat(unmounted.list("", "", 1).objects()).isEmpty();
    }

    private static void assertCode(ErrorCode code, Runnable call) {
        assertThatThrownBy(call::run).extracting("code").isEqualTo(code);
    }

    @Test
    void aCopyThatLiesIsNotBelieved() {
        List<StoredObject> log = copy.list("wal/", "", 100).objects();
        String segment = log.get(3).name();
        String next = log.get(4).name();
        copy.replace(segment, ByteBuffer.wrap(bytes(copy, next))); // well sealed, another's
        String slot = first(store, "slots/");
        String other = copy.list("slots/", slot, 1).objects().getFirst().name();
        copy.replace(slot, ByteBuffer.wrap(bytes(copy, other)));
        store.delete(segment);
        store.delete(slot);
        Repair.Report report = repair(store, copy);
        assertThat(report.repaired()).isEmpty();
        assertThat(report.left().findings().stream().map(VerifyReport.Finding::object))
                .contains(segment, slot);
        assertThat(store.size(segment)).isEmpty();
    }

    /// Pages and chunks that no copy has are there in the live cluster, mostly: the next backup
    /// stores them again, and gives them back to the others where they are provably the same.
    @Test
    void whatIsLostEverywhereIsReadAgainByTheNextBackup() throws IOException {
        for (String lost : List.of("packs/base/", "packs/files/", "packs/incremental/")) {
            ObjectStore here = HookedStore.copy(copy);
            here.list(lost, "", 100).objects().forEach(each -> here.delete(each.name()));
            SampleRepository at = sample.goingOn();
            VerifyReport before = repair(here).left();
            ProtectedSource source = at.open(here).source("orders").orElseThrow();
            CommittedBackup full = source.backups().getFirst();
            CommittedBackup newest = source.backups().getLast();
            assertThat(before.contents().lostFiles()).as(lost).isNotEmpty();
            assertThat(repair(here).left().findings())
                    .containsExactlyInAnyOrderElementsOf(before.findings());
            CommittedBackup fresh = at.backUpUpon(source, newest);
            assertSameContent(source, fresh, at.content(fresh.id()), lost);
            Set<String> after =
                    verify(here).contents().lostFiles().stream()
                            .map(LostFile::path)
                            .collect(Collectors.toSet());
            assertThat(after)
                    .as(lost + ": only what has changed since stays lost")
                    .isSubsetOf("base/5/16385", "pg_xact/0001");
            if (after.isEmpty()) {
                assertSameContent(source, newest, at.content(newest.id()), lost);
                assertSameContent(source, full, at.content(full.id()), lost);
            }
            here.list("packs/", "", 1000)
                    .objects()
                    .forEach(each -> assertThat(each.sizeBytes()).isPositive());
        }
    }

    @Test
    void aBackupOnTopOfALossThatNobodyRecordedIsNoneTheWiserAndOnTopOfARecordedOneIsWhole()
            throws IOException {
        String pack = first(store, "packs/base/");
        byte[] damaged = bytes(store, pack);
        damaged[200] ^= 1;
        store.replace(pack, ByteBuffer.wrap(damaged));
        ObjectStore unrecorded = HookedStore.copy(store);
        ProtectedSource naive = sample.goingOn().open(unrecorded).source("orders").orElseThrow();
        SampleRepository first = sample.goingOn();
        CommittedBackup upon = first.backUpUpon(naive, naive.backups().getLast());
        assertThatThrownBy(() -> SampleRepository.restore(naive, upon))
                .isInstanceOf(MainstayException.class);
        VerifyReport lost = repair(store).left();
        assertThat(lost.findings()).hasSize(1);
        SampleRepository second = sample.goingOn();
        ProtectedSource source = second.open(store).source("orders").orElseThrow();
        CommittedBackup fresh = second.backUpUpon(source, source.backups().getLast());
        assertSameContent(source, fresh, second.content(fresh.id()), "recorded");
        VerifyReport after = verify(store);
        assertThat(after.findings().getFirst().backups()).as("its frame was found again").isEmpty();
        assertThat(after.contents().lostFiles()).isEmpty();
        for (CommittedBackup earlier : source.backups()) {
            assertSameContent(source, earlier, second.content(earlier.id()), "in a damaged pack");
        }
    }

    private static void assertSameContent(
            ProtectedSource source,
            CommittedBackup backup,
            Map<String, byte[]> expected,
            String where) {
        Map<String, byte[]> restored = SampleRepository.restore(source, backup);
        assertThat(restored.keySet()).as(where).isEqualTo(expected.keySet());
        restored.forEach(
                (path, content) ->
                        assertThat(Arrays.equals(content, expected.get(path)))
                                .as(where + ", file " + path)
                                .isTrue());
    }

    /// A process that is killed at any call leaves what it found, or better; the next one finishes.
    @Test
    void killedAnywhereItLosesNothingAndGoesOn() {
        Random random = new Random(SEED);
        ObjectStore damaged = HookedStore.copy(copy);
        List<String> hurt =
                List.of(
                        first(copy, "packs/base/"),
                        first(copy, "packs/metadata/"),
                        first(copy, "slots/"),
                        first(copy, "wal/"),
                        first(copy, "keys/source/"));
        hurt.forEach(
                name -> {
                    byte[] bytes = bytes(damaged, name);
                    bytes[bytes.length / 2] ^= 1;
                    damaged.replace(name, ByteBuffer.wrap(bytes));
                });
        int call = 1;
        boolean finished = false;
        while (!finished) {
            ObjectStore inner = HookedStore.copy(damaged);
            HookedStore hooked = new HookedStore(inner);
            hooked.dieAt(call, random.nextBoolean());
            String where = "seed " + SEED + ", killed at call " + call;
            try {
                repair(hooked, copy);
                finished = true;
            } catch (HookedStore.Killed killed) {
                Map<String, byte[]> left = objects(inner);
                assertThat(left.keySet()).as(where).isEqualTo(objects(damaged).keySet());
                left.forEach(
                        (name, bytes) ->
                                assertThat(
                                                Arrays.equals(bytes, bytes(damaged, name))
                                                        || Arrays.equals(bytes, bytes(copy, name)))
                                        .as(where + ": " + name)
                                        .isTrue());
                assertThat(repair(inner, copy).left().findings()).as(where).isEmpty();
                assertSame(inner, copy, where);
            }
            call += 1 + random.nextInt(7);
        }
        assertThat(call).isGreaterThan(50);
    }
}
