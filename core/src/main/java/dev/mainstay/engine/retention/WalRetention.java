package dev.mainstay.engine.retention;

import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.UnneededWal;
import dev.mainstay.repository.WalStretches;

import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The WAL that the policies of sources have no need of, as long as all their backups are there:
/// what [WalNeed] says, and nothing where that is not certain.
public final class WalRetention implements UnneededWal {
    private final Function<String, Optional<RetentionPolicy>> policies;
    private final Instant now;

    /// @param policies of sources, by name; empty for one that is not configured
    public WalRetention(Function<String, Optional<RetentionPolicy>> policies, Instant now) {
        this.policies = policies;
        this.now = now;
    }

    /// By the policies of the configuration's sources.
    public static WalRetention of(Configuration configuration, Instant now) {
        return new WalRetention(
                name ->
                        Optional.ofNullable(configuration.sources().get(name))
                                .map(SourceSettings::retention),
                now);
    }

    @Override
    public WalStretches find(Collection<ProtectedSource> sources) {
        Map<ProtectedSource, SourceBackups> backups = new LinkedHashMap<>();
        Map<SystemId, Integer> users = new HashMap<>();
        for (ProtectedSource source : sources) {
            SourceBackups of = SourceBackups.of(source.records());
            backups.put(source, of);
            of.systems().forEach(system -> users.merge(system, 1, Integer::sum));
        }
        WalStretches unneeded = WalStretches.none();
        backups.forEach(
                (source, of) -> {
                    Optional<RetentionPolicy> policy =
                            policies.apply(source.name()).filter(WalRetention::frees);
                    if (policy.isPresent() && of.strange().isEmpty()) {
                        needs(source, of, policy.get()).stream()
                                // What two sources call theirs is needed by both.
                                .filter(need -> users.getOrDefault(need.system(), 0) == 1)
                                .forEach(need -> add(source, of, need, unneeded));
                    }
                });
        return unneeded;
    }

    private List<WalNeed> needs(ProtectedSource source, SourceBackups of, RetentionPolicy policy) {
        Lineage lineage = SourceBackups.lineage(source, of.segmentBytes().keySet());
        return new RetentionRule(of.listed(), policy, lineage, now).needs(of.listed());
    }

    private static void add(
            ProtectedSource source, SourceBackups of, WalNeed need, WalStretches to) {
        SystemId system = need.system();
        if (of.hasOneSegmentSize(system)) {
            int size = of.segmentBytes().getOrDefault(system, 0);
            for (WalSegment segment :
                    StoredWal.of(source.wal(system, 1), size).unneeded(need.with(of.removed()))) {
                to.add(source.id(), system, segment);
            }
        }
    }

    /// Whether WAL is ever freed under a policy: without one nothing goes.
    static boolean frees(RetentionPolicy policy) {
        return !policy.equals(RetentionPolicy.everything());
    }
}
