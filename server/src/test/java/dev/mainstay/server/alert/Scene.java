package dev.mainstay.server.alert;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.server.metrics.ArchiveFacts;
import dev.mainstay.server.metrics.ClusterFacts;
import dev.mainstay.server.metrics.CopyFacts;
import dev.mainstay.server.metrics.Facts;
import dev.mainstay.server.metrics.HostFacts;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.metrics.RepositoryFacts;
import dev.mainstay.server.metrics.SourceFacts;
import dev.mainstay.server.metrics.SpaceFacts;
import dev.mainstay.server.metrics.WalFacts;
import dev.mainstay.server.view.KnownBackup;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Facts of one source with which all is well, until a test says otherwise.
public final class Scene {
    /// A Thursday.
    public static final Instant NOON = Instant.parse("2026-03-12T12:00:00Z");

    public Instant now = NOON;
    public final List<KnownBackup> backups = new ArrayList<>();
    public final List<JobFacts.Ended> ended = new ArrayList<>();
    public final List<JobFacts.Running> running = new ArrayList<>();
    public final List<SpaceFacts> spaces = new ArrayList<>();
    public final List<ClusterFacts.Slot> slots = new ArrayList<>();
    public final List<HostFacts.ExpiringToken> tokens = new ArrayList<>();
    List<JobFacts.Took> restores = List.of();
    public Optional<ClusterFacts.Problem> problem = Optional.empty();
    Duration downFor = Duration.ZERO;
    Duration standbyLag = Duration.ofSeconds(1);
    public Duration clockAhead = Duration.ZERO;
    Duration storeAhead = Duration.ZERO;
    public Duration lost = Duration.ofSeconds(5);
    Optional<Instant> certificate = Optional.empty();
    Optional<String> refusal = Optional.empty();
    public Lsn start = Lsn.of(1 << 24);
    public Lsn position = Lsn.of(1 << 24);
    public Instant configured = NOON.minus(Duration.ofDays(30));
    int gaps;
    int removable;
    boolean archiveKnown = true;
    Optional<String> repositoryProblem = Optional.empty();
    public Duration repositorySeen = Duration.ofMinutes(1);
    Optional<CopyFacts> copy = Optional.empty();

    /// A full backup each Sunday and an incremental each other day at 01:00, for three weeks, which
    /// take some ten minutes and store some 1 GB or 100 MB.
    public static Scene well() {
        Scene scene = new Scene();
        for (int day = 21; day >= 0; day--) {
            Instant begin = Instant.parse("2026-03-12T01:00:00Z").minus(Duration.ofDays(day));
            boolean full = day % 7 == 4;
            scene.backups.add(
                    backup(
                            full,
                            begin,
                            600 + day % 3,
                            10_000_000_000L + day % 5 * 10_000_000L,
                            (full ? 1_000_000_000L : 100_000_000) + day % 4 * 1_000_000L));
        }
        scene.done("verify", "orders", Duration.ofHours(6));
        scene.done("expire", "orders", Duration.ofHours(7));
        return scene;
    }

    public static KnownBackup backup(
            boolean full, Instant begin, long seconds, long bytes, long stored) {
        return new KnownBackup(
                BackupId.of(begin, new byte[4]),
                full ? "full" : "incremental",
                "complete",
                begin,
                begin.plusSeconds(seconds),
                bytes,
                bytes,
                stored);
    }

    void done(String kind, String target, Duration ago) {
        over(kind, target, "done", "", ago);
    }

    void failed(String kind, String target, ErrorCode error, Duration ago) {
        over(kind, target, "failed", error.id(), ago);
    }

    private void over(String kind, String target, String state, String error, Duration ago) {
        Instant at = NOON.minus(ago);
        ended.add(
                new JobFacts.Ended(
                        "job-" + at, kind, target, state, error, "it broke", at));
    }

    void replaceNewest(long seconds, long bytes, long stored) {
        KnownBackup last = backups.removeLast();
        backups.add(backup(false, last.begin(), seconds, bytes, stored));
    }

    static Configuration configuration(String more) {
        return new ConfigurationReader(Map.of("URL", "http://127.0.0.1:1/geheim"))
                .parse(
                        "m.yaml",
                        """
                        repository: { url: file:///r, encryption: none }
                        sources:
                          orders:
                            postgres: { url: postgresql://h/d }
                        server:
                        """
                                + ("schedules: { prune: off }\n" + more).indent(2),
                        Path.of("/"));
    }

    public Facts facts() {
        Optional<WalFacts> wal =
                backups.isEmpty()
                        ? Optional.empty()
                        : Optional.of(
                                new WalFacts(
                                        TimelineId.of(1),
                                        Lsn.of(1 << 24),
                                        now,
                                        now.minus(lost),
                                        OptionalLong.of(lost.toSeconds()),
                                        gaps));
        ArchiveFacts archive =
                new ArchiveFacts(
                        now.minus(repositorySeen),
                        backups,
                        Optional.of(start),
                        backups.stream().findFirst().map(KnownBackup::end),
                        wal,
                        backups.size(),
                        removable);
        ClusterFacts cluster =
                new ClusterFacts(
                        now,
                        problem,
                        now.minus(downFor),
                        Optional.of(
                                new ClusterFacts.Readings(
                                        position,
                                        false,
                                        5,
                                        100,
                                        clockAhead,
                                        configured,
                                        false,
                                        List.of(
                                                new ClusterFacts.Standby(
                                                        "berlin",
                                                        "streaming",
                                                        Optional.of(standbyLag),
                                                        OptionalLong.of(0))),
                                        slots,
                                        Map.of())));
        JobFacts jobs =
                new JobFacts(now, List.of(), ended, running, List.of(), restores, Map.of());
        return new Facts(
                now,
                Map.of(
                        "orders",
                        new SourceFacts(
                                "orders",
                                archiveKnown ? Optional.of(archive) : Optional.empty(),
                                Optional.of(cluster))),
                copy.map(each -> Map.of(each.name(), each)).orElse(Map.of()),
                new RepositoryFacts(
                        now,
                        repositoryProblem,
                        Map.of("pack", 1L),
                        Optional.empty(),
                        Optional.of(storeAhead)),
                jobs,
                spaces,
                new HostFacts(certificate, refusal, tokens));
    }
}
