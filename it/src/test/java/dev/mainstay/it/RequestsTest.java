package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.mainstay.engine.Progress;
import dev.mainstay.engine.backup.ClusterBackup.Request;
import dev.mainstay.engine.restore.RestorePlan;
import dev.mainstay.engine.restore.RestoreRun;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.storage.StoredObject;
import dev.mainstay.storage.wrap.MeteredStore.Counts;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What a backup, an incremental and a restore cost in requests: one for each object, and a few
/// more however large the cluster is.
class RequestsTest {
    /// Looking for what is there: of other backups, of WAL, of those who clean up.
    private static final int LISTS = 16;

    /// Segments of the log between the two backups, whose summaries are asked for.
    private static final int SUMMARIES = 60;

    private record Cost(Counts counts, Set<String> made) {
        int packs() {
            return (int) made.stream().filter(name -> name.startsWith("packs/")).count();
        }

        /// What is put is kept, but for the little that says that a backup is under way; WAL that
        /// arrives meanwhile may be counted on one side only.
        void putsNothingTwice() {
            assertThat(counts.puts())
                    .as("%s", counts)
                    .isCloseTo(made.size() + counts.deletes(), within(2L));
            assertThat(counts.deletes()).isLessThanOrEqualTo(3);
            assertThat(counts.lists()).as("%s", counts).isLessThanOrEqualTo(LISTS);
            assertThat(counts.failures()).isZero();
        }
    }

    private static Cost cost(RestoreSite site, Runnable work) {
        Set<String> before = names(site);
        Counts from = site.site.requests.counts();
        work.run();
        Counts counts = site.site.requests.counts().minus(from);
        Set<String> made = names(site);
        made.removeAll(before);
        return new Cost(counts, made);
    }

    private static Set<String> names(RestoreSite site) {
        Set<String> names = new TreeSet<>();
        String after = "";
        while (true) {
            var page = site.site.repository.store().list("", after, 1000).objects();
            if (page.isEmpty()) {
                return names;
            }
            names.addAll(page.stream().map(StoredObject::name).toList());
            after = page.getLast().name();
        }
    }

    private static void run(RestoreSite site, RestorePlan plan) {
        new RestoreRun(site.site.source, plan, Progress.none()).execute();
    }

    /// Each costs the wait for an answer, before anything else can be done.
    @Test
    void openingARepositoryAndASource() {
        try (TestCluster cluster = TestCluster.create(15, RestoreSite.archiving());
                BackupSite site = new BackupSite(cluster)) {
            List<String> _ = site.seen.take();
            Repository again =
                    Repository.open(
                            site.requests,
                            Optional.of(new Credential.KeyFile(new byte[32])),
                            Ground.ofThisHost());
            assertThat(again.requireSource("orders").backups()).isEmpty();
            assertThat(words(site.seen.take()))
                    .containsExactly(
                            "whole format",
                            "list keys",
                            "whole keys",
                            "list keys",
                            "whole keys",
                            "list slots",
                            "list records");
            again.demandStillThere();
            assertThat(words(site.seen.take())).containsExactly("whole format");
        }
    }

    /// The operation and the first part of the name.
    private static List<String> words(List<String> requests) {
        return requests.stream()
                .map(each -> each.split("/", 2)[0].split(" after", 2)[0])
                .map(each -> each.startsWith("list keys") ? "list keys" : each)
                .toList();
    }

    @Test
    void aBackupAnIncrementalAndARestore() {
        try (TestCluster cluster = TestCluster.create(15, RestoreSite.archiving());
                RestoreSite site = new RestoreSite(cluster)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT i, md5(i::text) || md5((-i)::text) AS body"
                            + " FROM generate_series(1, 400000) i");
            Cost full = cost(site, () -> site.site.backUp(Request.Type.FULL));
            full.putsNothingTwice();
            assertThat(full.counts.gets()).as("there is nothing to read yet").isZero();
            cluster.sql("UPDATE t SET body = 'x' WHERE i % 10000 = 0");
            List<String> _ = site.site.seen.take();
            Cost incremental = cost(site, () -> site.site.backUp(Request.Type.INCREMENTAL));
            incremental.putsNothingTwice();
            assertThat(site.site.seen.take())
                    .as("looked for is only WAL that is waited for")
                    .noneMatch(each -> each.startsWith("size") && !each.startsWith("size wal/"))
                    .filteredOn(each -> each.startsWith("get packs/metadata"))
                    .as("the manifest once, the maps once by each thread")
                    .hasSizeLessThanOrEqualTo(3);
            assertThat(incremental.counts.gets())
                    .as("the manifest, the fingerprints and the maps of the one before")
                    .isLessThanOrEqualTo(3L * full.packs() + SUMMARIES);
            site.archive(cluster);
            List<String> _ = site.site.seen.take();
            RestorePlan plan = site.wish("to", new RestoreTarget.Immediate()).plan();
            List<String> planned = site.site.seen.take();
            assertThat(planned).doesNotHaveDuplicates().noneMatch(each -> each.startsWith("size"));
            assertThat(planned)
                    .as("two lists and two slots; four lists and a history; the manifest")
                    .hasSizeLessThanOrEqualTo(10);
            Cost restore = cost(site, () -> run(site, plan));
            assertThat(site.site.seen.take().stream().filter(each -> !each.startsWith("list")))
                    .as("nothing is looked for before it is read, and nothing is read twice")
                    .doesNotHaveDuplicates()
                    .noneMatch(each -> each.startsWith("size"));
            assertThat(restore.counts.puts()).isZero();
            assertThat(restore.counts.lists()).isLessThanOrEqualTo(LISTS);
            assertThat(restore.counts.gets())
                    .as("pieces of packs, read in one where they lie together")
                    .isLessThanOrEqualTo(6L * (full.packs() + incremental.packs()));
            assertThat(restore.made).isEmpty();
        }
    }
}
