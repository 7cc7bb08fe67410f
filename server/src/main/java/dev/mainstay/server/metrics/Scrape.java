package dev.mainstay.server.metrics;

import dev.mainstay.server.view.KnownBackup;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Facts as Prometheus reads them. The registry lives as long as one scrape: what is not known any
/// more vanishes with it, and counters are what the state says, whichever server is asked and
/// however often it was started.
final class Scrape {
    private static final List<String> TYPES = List.of("full", "incremental");

    private final PrometheusMeterRegistry registry =
            new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Facts facts;
    private final Instant now;
    private final List<DurationSummary> durations = new ArrayList<>();

    private Scrape(Facts facts) {
        this.facts = facts;
        this.now = facts.at();
    }

    /// In Prometheus's text format.
    static String text(Facts facts) {
        Scrape scrape = new Scrape(facts);
        facts.sources().values().forEach(scrape::source);
        facts.copies().values().forEach(scrape::copy);
        scrape.repository();
        scrape.jobs();
        scrape.spaces();
        scrape.host();
        return scrape.registry.scrape();
    }

    private void gauge(String name, String says, Number value, String... tags) {
        Gauge.builder(name, () -> value)
                .description(says)
                .tags(Tags.of(tags))
                .strongReference(true)
                .register(registry);
    }

    /// Micrometer adds `_total` to the name.
    private void counter(String name, String says, Number value, String... tags) {
        FunctionCounter.builder(name, facts, _ -> value.doubleValue())
                .description(says)
                .tags(Tags.of(tags))
                .register(registry);
    }

    private static double seconds(Instant instant) {
        return instant.toEpochMilli() / 1000.0;
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    private void source(SourceFacts source) {
        source.archive().ifPresent(archive -> archive(source.name(), archive));
        source.cluster().ifPresent(cluster -> cluster(source.name(), cluster));
        restore(source.name());
    }

    private void archive(String source, ArchiveFacts archive) {
        gauge(
                "mainstay_backups",
                "Backups that can be restored",
                archive.backups().size(),
                "source",
                source);
        for (String type : TYPES) {
            archive.newest(type).ifPresent(backup -> backup(source, backup));
        }
        archive.windowBegin()
                .ifPresent(
                        begin ->
                                gauge(
                                        "mainstay_recovery_window_start_timestamp",
                                        "From when on every second can be recovered",
                                        seconds(begin),
                                        "source",
                                        source));
        archive.covered()
                .ifPresent(
                        end ->
                                gauge(
                                        "mainstay_recovery_window_end_timestamp",
                                        "Until when everything can be recovered",
                                        seconds(end),
                                        "source",
                                        source));
        archive.recoveryPoint(now)
                .ifPresent(
                        lost ->
                                gauge(
                                        "disaster_recovery_rpo_seconds",
                                        "What would be lost if the cluster were lost now",
                                        seconds(lost),
                                        "source",
                                        source));
        archive.wal().ifPresent(wal -> wal(source, archive, wal));
        String says = "Backups by what retention decides";
        gauge("mainstay_retention_backups", says, archive.kept(), "source", source, "decision", "keep");
        gauge(
                "mainstay_retention_backups",
                says,
                archive.removable(),
                "source",
                source,
                "decision",
                "remove");
    }

    private void backup(String source, KnownBackup backup) {
        String[] tags = {"source", source, "type", backup.type()};
        gauge(
                "backup_last_success_timestamp",
                "When the newest backup of a type ended",
                seconds(backup.end()),
                tags);
        gauge(
                "mainstay_backup_last_duration_seconds",
                "How long the newest backup of a type took",
                seconds(backup.duration()),
                tags);
        gauge(
                "mainstay_backup_last_size_bytes",
                "What a restore of the newest backup of a type writes",
                backup.bytes(),
                tags);
        gauge(
                "mainstay_backup_last_read_bytes",
                "What the newest backup of a type read",
                backup.bytesRead(),
                tags);
        gauge(
                "mainstay_backup_last_stored_bytes",
                "What the newest backup of a type stored",
                backup.bytesStored(),
                tags);
    }

    private void wal(String source, ArchiveFacts archive, WalFacts wal) {
        gauge(
                "mainstay_wal_stored_position_bytes",
                "End of the WAL that is stored without a gap since the newest backup",
                wal.stored().value(),
                "source",
                source,
                "timeline",
                wal.timeline().toString());
        archive.recoveryPoint(now)
                .ifPresent(
                        lag ->
                                gauge(
                                        "mainstay_wal_stored_lag_seconds",
                                        "Age of the oldest WAL that is not stored",
                                        seconds(lag),
                                        "source",
                                        source));
        wal.lagBytes()
                .ifPresent(
                        bytes ->
                                gauge(
                                        "mainstay_wal_stored_lag_bytes",
                                        "WAL of the server that is not stored",
                                        bytes,
                                        "source",
                                        source));
        gauge(
                "mainstay_wal_gaps",
                "Stretches of WAL that are missing since the newest backup",
                wal.gaps(),
                "source",
                source);
    }

    private void cluster(String source, ClusterFacts cluster) {
        gauge(
                "mainstay_postgres_up",
                "Whether the server answers and lets Mainstay in",
                cluster.up() ? 1 : 0,
                "source",
                source);
        if (cluster.up()) {
            cluster.readings().ifPresent(readings -> readings(source, readings));
        }
    }

    private void readings(String source, ClusterFacts.Readings readings) {
        gauge(
                "mainstay_postgres_connections",
                "Connections to the server",
                readings.connections(),
                "source",
                source);
        gauge(
                "mainstay_postgres_connections_max",
                "Connections that the server allows",
                readings.connectionsMax(),
                "source",
                source);
        gauge(
                "mainstay_postgres_in_recovery",
                "Whether the server is a standby",
                readings.standby() ? 1 : 0,
                "source",
                source);
        gauge(
                "mainstay_clock_skew_seconds",
                "How far the server's clock is ahead",
                seconds(readings.clockAhead()),
                "source",
                source);
        readings.databaseBytes()
                .forEach(
                        (name, bytes) ->
                                gauge(
                                        "mainstay_postgres_database_size_bytes",
                                        "Size of a database",
                                        bytes,
                                        "source",
                                        source,
                                        "database",
                                        name));
        Map<String, Duration> lags = new TreeMap<>();
        readings.standbys()
                .forEach(
                        standby ->
                                standby.lag()
                                        .ifPresent(
                                                lag ->
                                                        lags.merge(
                                                                standby.name(),
                                                                lag,
                                                                (a, b) ->
                                                                        a.compareTo(b) > 0
                                                                                ? a
                                                                                : b)));
        lags.forEach(
                (standby, lag) ->
                        gauge(
                                "pg_stat_replication_lag_seconds",
                                "Age of the oldest change that a standby has not replayed",
                                seconds(lag),
                                "source",
                                source,
                                "standby",
                                standby));
        for (ClusterFacts.Slot slot : readings.slots()) {
            gauge(
                    "mainstay_postgres_slot_retained_bytes",
                    "WAL that the server keeps for a replication slot",
                    slot.retained(),
                    "source",
                    source,
                    "slot",
                    slot.name());
        }
    }

    private void restore(String source) {
        facts.jobs()
                .restore(source)
                .ifPresent(
                        restore ->
                                gauge(
                                        "disaster_recovery_rto_seconds",
                                        "How long the newest restore took",
                                        seconds(restore.time()),
                                        "source",
                                        source));
    }

    private void copy(CopyFacts copy) {
        gauge(
                "mainstay_copy_up",
                "Whether a copy can be read",
                copy.problem().isEmpty() ? 1 : 0,
                "copy",
                copy.name());
        copy.lag()
                .ifPresent(
                        lag ->
                                gauge(
                                        "mainstay_copy_lag_seconds",
                                        "What a restore from a copy alone would lack",
                                        seconds(lag),
                                        "copy",
                                        copy.name()));
        copy.bytes().ifPresent(bytes -> size(copy.name(), "all", bytes));
    }

    private void size(String copy, String kind, long bytes) {
        gauge(
                "mainstay_repository_size_bytes",
                "What a repository holds, by its copies and the kinds of objects",
                bytes,
                "copy",
                copy,
                "kind",
                kind);
    }

    private void repository() {
        RepositoryFacts repository = facts.repository();
        gauge(
                "mainstay_repository_up",
                "Whether the repository can be read",
                repository.problem().isEmpty() ? 1 : 0);
        repository.bytesByKind().forEach((kind, bytes) -> size("", kind, bytes));
        repository.clockAhead()
                .ifPresent(
                        ahead ->
                                gauge(
                                        "mainstay_store_clock_skew_seconds",
                                        "How far the clock of the repository's store is ahead",
                                        seconds(ahead)));
        repository.readThrough()
                .ifPresent(
                        since ->
                                gauge(
                                        "mainstay_repository_read_age_seconds",
                                        "Everything in the repository was read since then",
                                        seconds(Duration.between(since, now))));
    }

    private void jobs() {
        JobFacts jobs = facts.jobs();
        for (String source : facts.sources().keySet()) {
            backups(source);
            verified(source);
        }
        registry.getPrometheusRegistry().register(DurationSummary.family(durations));
        verified("");
        Map<List<String>, Long> over = new TreeMap<>(Comparator.comparing(List::toString));
        jobs.totals().stream()
                .filter(total -> !List.of("queued", "running").contains(total.state()))
                .forEach(
                        total ->
                                over.merge(
                                        List.of(total.kind(), total.target(), total.state()),
                                        total.count(),
                                        Long::sum));
        over.forEach((key, count) -> ended(key.get(0), key.get(1), key.get(2), count));
        for (String state : List.of("queued", "running")) {
            boolean wanted = state.equals("running");
            gauge(
                    "mainstay_jobs",
                    "Jobs that are not over",
                    jobs.running().stream()
                            .filter(each -> each.started().isPresent() == wanted)
                            .count(),
                    "state",
                    state);
        }
    }

    private void ended(String kind, String target, String state, long count) {
        counter(
                "mainstay_jobs_ended",
                "Jobs that are over, by how they ended",
                count,
                "kind",
                kind,
                "target",
                target,
                "state",
                state);
    }

    private static boolean failed(JobFacts.Total total) {
        return total.state().equals("failed") || total.state().equals("interrupted");
    }

    private void backups(String source) {
        List<JobFacts.Total> totals =
                facts.jobs().totals().stream()
                        .filter(each -> each.kind().equals("backup"))
                        .filter(each -> each.target().equals(source))
                        .toList();
        counter(
                "backup_job_failures",
                "Backups of a source that failed",
                totals.stream().filter(Scrape::failed).mapToLong(JobFacts.Total::count).sum(),
                "source",
                source);
        List<String> types = new ArrayList<>(TYPES);
        totals.stream().map(JobFacts.Total::type).filter(each -> !types.contains(each)).forEach(types::add);
        for (String type : types.stream().distinct().toList()) {
            List<JobFacts.Total> of =
                    totals.stream().filter(each -> each.type().equals(type)).toList();
            List<JobFacts.Total> done =
                    of.stream().filter(each -> each.state().equals("done")).toList();
            long count = done.stream().mapToLong(JobFacts.Total::count).sum();
            String[] tags = {"type", type, "component", source};
            counter("backup_success", "Backups that ended well", count, tags);
            counter(
                    "backup_failure",
                    "Backups that failed",
                    of.stream().filter(Scrape::failed).mapToLong(JobFacts.Total::count).sum(),
                    tags);
            durations.add(
                    new DurationSummary(
                            source,
                            type,
                            count,
                            done.stream().mapToDouble(JobFacts.Total::seconds).sum(),
                            recent(source, type)));
        }
    }

    private List<Duration> recent(String source, String type) {
        return facts.jobs().recent().stream()
                .filter(each -> each.target().equals(source) && each.type().equals(type))
                .map(JobFacts.Took::time)
                .sorted()
                .toList();
    }

    private void verified(String target) {
        Optional<JobFacts.Ended> done = facts.jobs().newestDone("verify", target);
        done.ifPresent(
                job ->
                        gauge(
                                "mainstay_verify_age_seconds",
                                "Since the newest verification that found nothing wrong",
                                seconds(Duration.between(job.ended(), now)),
                                "source",
                                target));
    }

    private void spaces() {
        for (SpaceFacts space : facts.spaces()) {
            gauge("mainstay_space_used_bytes", "What something takes", space.used(), "what", space.what());
            gauge(
                    "mainstay_space_free_bytes",
                    "What can still be written",
                    space.free(),
                    "what",
                    space.what());
            gauge(
                    "mainstay_space_total_bytes",
                    "What there is, or may be used",
                    space.total(),
                    "what",
                    space.what());
            space.untilFull()
                    .ifPresent(
                            left ->
                                    gauge(
                                            "mainstay_space_full_in_seconds",
                                            "How long there is room at the growth of late",
                                            seconds(left),
                                            "what",
                                            space.what()));
        }
    }

    private void host() {
        facts.host()
                .certificateEnds()
                .ifPresent(
                        end ->
                                gauge(
                                        "mainstay_certificate_expiry_timestamp",
                                        "When the server's certificate ends",
                                        seconds(end)));
    }
}
