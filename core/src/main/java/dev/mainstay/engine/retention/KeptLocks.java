package dev.mainstay.engine.retention;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.repository.Defect;
import dev.mainstay.repository.KeptObjects;
import dev.mainstay.repository.LockSurvey;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.ObjectLocks;
import dev.mainstay.storage.remote.PlaceLock;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The locks of what kept backups need: their packs and records, and the WAL that leads each of
/// them to its end, or to every second of the recovery window. For one use.
public final class KeptLocks {
    /// What was found, and done.
    ///
    /// @param unread what could not be read, so that what it needs may have no lock
    public record Report(LockSurvey.Report survey, List<Defect> unread) {
        public boolean isWell() {
            return survey.lackingCount() == 0 && survey.failedCount() == 0 && unread.isEmpty();
        }
    }

    private final Repository repository;
    private final PlaceLock lock;
    private final Function<String, RetentionPolicy> policies;
    private final Instant now;
    private final Map<SystemId, List<KeptWal>> wal = new HashMap<>();

    /// WAL of one cluster that one source needs.
    private record KeptWal(WalNeed need, int segmentBytes) {
        boolean needs(String fileName) {
            try {
                return need.needs(WalSegment.parse(fileName, segmentBytes));
            } catch (IllegalArgumentException ofAnotherSize) {
                return true;
            }
        }
    }

    /// @param policies of sources, by name
    public KeptLocks(
            Repository repository,
            PlaceLock lock,
            Function<String, RetentionPolicy> policies,
            Instant now) {
        this.repository = repository;
        this.lock = lock;
        this.policies = policies;
        this.now = now;
    }

    /// Of a configured repository that locks what it holds, by the policies of its sources.
    public static KeptLocks of(Configuration configuration, Repository repository, Instant now) {
        return new KeptLocks(
                repository,
                configuration.repository().lock().orElseThrow(),
                name ->
                        Optional.ofNullable(configuration.sources().get(name))
                                .map(SourceSettings::retention)
                                .orElseGet(RetentionPolicy::everything),
                now);
    }

    /// Looks and changes nothing.
    ///
    /// @param source only what this one needs
    public Report look(ObjectLocks locks, Optional<String> source, Progress progress) {
        KeptObjects kept = kept(source);
        progress.begin("looking at locks", 0);
        LockSurvey.Report report = survey(locks, kept, progress).look();
        progress.end();
        return new Report(report, kept.unread());
    }

    /// Extends the locks that are due.
    public Report extend(ObjectLocks locks, Optional<String> source, Progress progress) {
        KeptObjects kept = kept(source);
        progress.begin("extending locks", 0);
        LockSurvey.Report report = survey(locks, kept, progress).extend();
        progress.end();
        return new Report(report, kept.unread());
    }

    private LockSurvey survey(ObjectLocks locks, KeptObjects kept, Progress progress) {
        return new LockSurvey(repository, locks, kept, lock.demandedAt(now), progress::advance);
    }

    private KeptObjects kept(Optional<String> only) {
        KeptObjects kept = new KeptObjects(repository, this::needs);
        kept.addMoved();
        for (ProtectedSource source : repository.sources()) {
            if (only.isEmpty() || only.get().equals(source.name())) {
                kept.add(source);
                log(source);
            }
        }
        return kept;
    }

    /// What the window needs, and what makes each backup consistent that is still there.
    private void log(ProtectedSource source) {
        ExpiryPlan plan = new SourceExpiry(source, policies.apply(source.name()), now).plan();
        List<RetainedBackup> all =
                plan.decisions().stream().map(RetentionDecision::backup).toList();
        for (WalNeed need : plan.needs()) {
            int segmentBytes = plan.segmentBytes().getOrDefault(need.system(), 0);
            wal.computeIfAbsent(need.system(), _ -> new ArrayList<>())
                    .add(new KeptWal(need.with(all), segmentBytes));
        }
    }

    /// Files that are no segments are few, and lead from one timeline to the next.
    private boolean needs(SystemId system, String fileName) {
        List<KeptWal> logs = wal.getOrDefault(system, List.of());
        return !logs.isEmpty()
                && (!WalSegment.isName(fileName)
                        || logs.stream().anyMatch(each -> each.needs(fileName)));
    }
}
