package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.it.KillCampaign.Round;
import dev.mainstay.it.KillCampaign.Subject;
import dev.mainstay.it.KillPoint.Course;
import dev.mainstay.it.Program.Child;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.testkit.ContentDigest;
import dev.mainstay.testkit.Workload;

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.Random;

/// Wherever a backup is killed: the repository is whole, nothing half is listed, and the next
/// backup succeeds and brings everything back.
class BackupKillTest {
    private static final int ATTEMPTS = 6;
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final List<String> TYPES = List.of("full", "incremental");

    @TempDir private Path folder;

    static List<Round> rounds() {
        return KillCampaign.rounds(Subject.BACKUP);
    }

    @ParameterizedTest
    @MethodSource("rounds")
    void aKilledBackupLeavesTheRepositoryWholeAndTheNextOneSucceeds(Round round) throws Exception {
        KillCampaign campaign = new KillCampaign(round);
        Random random = round.random();
        try (KillSite site = new KillSite(round.major(), folder);
                Connection sql = site.cluster.connect();
                Workload workload = Workload.of(site.cluster, round.seed());
                Child receiver = site.program.start("wal", "receive", "orders")) {
            receiver.await("a slot", () -> site.slot().isPresent());
            Workload.loadMiB(sql, 12);
            workload.run(20);
            Course full;
            Course incremental;
            try (Writing _ = new Writing(PAUSE, () -> workload.run(1))) {
                full = course(site, "full");
                incremental = course(site, "incremental");
            }
            for (int n = 0; n < round.points(); n++) {
                String type = TYPES.get(n % TYPES.size());
                int each = (round.points() - n % TYPES.size() + 1) / TYPES.size();
                Course course = type.equals("full") ? full : incremental;
                KillPoint point = course.point(n / TYPES.size(), each, random);
                String where = "point " + n + " of " + round + ": " + type + " killed " + point;
                try {
                    try (Writing _ = new Writing(PAUSE, () -> workload.run(1))) {
                        kill(site, type, point, campaign);
                        site.verify();
                        site.program.run("backup", "orders", "--type", type);
                    }
                    ContentDigest content = ContentDigest.of(site.cluster);
                    KillSite.awaitStored(receiver, site.flushed());
                    site.restoresAs(content);
                } catch (RuntimeException | Error failed) {
                    throw new AssertionError(where, failed);
                }
            }
            receiver.stop();
        }
        campaign.tell();
        assertThat(campaign.count()).isEqualTo(round.points());
    }

    private static Course course(KillSite site, String type) {
        try (Child backup = site.program.start("backup", "orders", "--type", type)) {
            return Course.of(backup, watch(site, backup));
        }
    }

    /// Everything the backup puts, and what it is about to put; what the receiver puts is not its.
    private static Watch watch(KillSite site, Child backup) {
        String temporary = ".tmp~/" + backup.pid() + "-";
        List<String> others = List.of("wal/", "parts/", "summaries/");
        return new Watch.Names(
                site.repository,
                List.of(""),
                name ->
                        name.startsWith(".tmp~/")
                                ? name.startsWith(temporary)
                                : others.stream().noneMatch(name::startsWith));
    }

    /// Tries earlier and earlier if the backup is done before.
    private static void kill(KillSite site, String type, KillPoint first, KillCampaign campaign) {
        KillPoint point = first;
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            List<String> before = ids(site);
            try (Child backup = site.program.start("backup", "orders", "--type", type)) {
                Watch watch = watch(site, backup);
                boolean killed = point.kill(backup, watch);
                List<String> after = ids(site);
                assertThat(after).as("%s", backup).startsWith(before.toArray(String[]::new));
                assertThat(after).hasSizeBetween(before.size(), before.size() + 1);
                if (killed) {
                    boolean made = after.size() > before.size();
                    campaign.killed(made ? "committed" : watch.last());
                    return;
                }
                assertThat(after).as("%s", backup).hasSize(before.size() + 1);
            }
            point = point.earlier();
        }
        throw new AssertionError("the backup is always done before " + point);
    }

    private static List<String> ids(KillSite site) {
        return site.backups().stream().map(CommittedBackup::id).map(Object::toString).toList();
    }
}
