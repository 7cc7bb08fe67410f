package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.ClusterBackup;
import dev.mainstay.engine.proof.Repair;
import dev.mainstay.engine.proof.Verification;
import dev.mainstay.engine.proof.VerifyReport;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.repository.Donor;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.LostFile;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.memory.MemoryStore;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/// The story of a repository of a real server that rots: found, put right from a copy, restored.
class RepairOnServersTest {
    private static final Optional<Credential> KEY =
            Optional.of(new Credential.KeyFile(new byte[32]));

    private static Repository open(ObjectStore store) {
        return Repository.open(store, KEY, Ground.ofThisHost());
    }

    private static VerifyReport verify(ObjectStore store) {
        return new Verification(open(store), RepositoryCheck.Options.everything(), Progress.none())
                .run();
    }

    private static Repair.Report repair(ObjectStore store, List<Donor> donors) {
        return new Repair(
                        () -> open(store),
                        donors,
                        RepositoryCheck.Options.everything(),
                        Progress.none())
                .run();
    }

    private static byte[] bytes(ObjectStore store, StoredObject object) {
        return store.get(object.name(), 0, Math.toIntExact(object.sizeBytes()));
    }

    private static ObjectStore copy(ObjectStore store) {
        ObjectStore copy = MemoryStore.create();
        store.list("", "", 100_000)
                .objects()
                .forEach(each -> copy.put(each.name(), ByteBuffer.wrap(bytes(store, each))));
        return copy;
    }

    /// Hurts every third object or so.
    private static int rot(ObjectStore store, Random random) {
        int hurt = 0;
        for (StoredObject object : store.list("", "", 100_000).objects()) {
            String name = object.name();
            if (random.nextInt(3) > 0 || name.startsWith("format") || name.startsWith("keys/r")) {
                continue;
            }
            hurt++;
            if (random.nextBoolean()) {
                store.delete(name);
            } else {
                byte[] bytes = bytes(store, object);
                bytes[random.nextInt(bytes.length)] ^= 4;
                store.replace(name, ByteBuffer.wrap(bytes));
            }
        }
        return hurt;
    }

    private static void restoresTo(RestoreSite on, String name, ContentDigest content)
            throws Exception {
        try (TestCluster restored = on.wish(name, new RestoreTarget.Latest()).recovered()) {
            assertThat(content.differencesAfterRecovery(ContentDigest.of(restored))).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void whatRotsIsPutRightFromACopyAndWhatIsLostEverywhereIsReadAgain(int major) throws Exception {
        long seed = 20_261_122L + major;
        Random random = new Random(seed);
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite on = new RestoreSite(cluster)) {
            cluster.sql("CREATE TABLE t AS SELECT i, md5(i::text) FROM generate_series(1, 9000) i");
            on.backUp();
            cluster.sql("UPDATE t SET md5 = 'changed' WHERE i % 1000 = 0");
            on.site.backUp(ClusterBackup.Request.Type.AUTO);
            ContentDigest content = ContentDigest.of(cluster);
            on.archive(cluster);
            ObjectStore store = on.site.repository.store();
            ObjectStore copy = copy(store);
            assertThat(rot(store, random)).as("seed %d", seed).isGreaterThan(5);
            assertThat(verify(store).ok()).as("seed %d", seed).isFalse();
            Repair.Report report = repair(store, List.of(new Donor("offsite", copy)));
            assertThat(report.left().findings()).as("seed %d", seed).isEmpty();
            assertThat(report.repaired()).isNotEmpty();
            restoresTo(on, "repaired", content);

            store.list("packs/base/", "", 1000)
                    .objects()
                    .forEach(each -> store.delete(each.name()));
            VerifyReport lost = repair(store, List.of()).left();
            assertThat(lost.ok()).isFalse();
            assertThat(lost.contents().lostFiles().stream().map(LostFile::path))
                    .anyMatch(path -> path.startsWith("base/"));
            ClusterBackup.Result fresh = on.site.backUp(ClusterBackup.Request.Type.AUTO);
            ContentDigest now = ContentDigest.of(cluster);
            on.archive(cluster);
            VerifyReport after = verify(store);
            assertThat(after.findings())
                    .allMatch(each -> !each.backups().contains(fresh.backup().id()));
            assertThat(after.contents().lostFiles().size())
                    .as("what had not changed came back")
                    .isLessThan(lost.contents().lostFiles().size() / 2);
            assertThat(Set.copyOf(lost.contents().lostFiles())).isNotEmpty();
            restoresTo(on, "read-again", now);
        }
    }
}
