package dev.mainstay.engine.retention;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// The rules of a policy that say which backups are wanted, and its maxima. Places are counted in
/// complete backups: one with damaged pages takes nobody's place.
final class KeepRules {
    private final List<RetainedBackup> chain;
    private final RetentionPolicy policy;
    private final Instant now;
    private final Map<RetainedBackup, List<String>> kept = new HashMap<>();
    private final Map<RetainedBackup, List<String>> against = new HashMap<>();

    KeepRules(List<RetainedBackup> chain, RetentionPolicy policy, Instant now) {
        this.chain = chain;
        this.policy = policy;
        this.now = now;
        kind("full", policy.full(), each -> !each.incremental());
        kind("incremental", policy.incremental(), RetainedBackup::incremental);
        for (Period period : Period.values()) {
            int wanted = period.wanted(policy.periods());
            if (wanted > 0) {
                periods(period, wanted);
            }
        }
        atMost("full maximum ", policy.full().maximum().orElse(-1), each -> !each.incremental());
        atMost(
                "incremental maximum ",
                policy.incremental().maximum().orElse(-1),
                RetainedBackup::incremental);
        atMost("maximum ", policy.maximum().orElse(-1), _ -> true);
    }

    /// Each rule that keeps a backup; none if it is not wanted.
    List<String> reasons(RetainedBackup backup) {
        return kept.getOrDefault(backup, List.of());
    }

    /// Why each rule does not keep it.
    List<String> against(RetainedBackup backup) {
        return against.getOrDefault(backup, List.of());
    }

    private List<RetainedBackup> select(Function<RetainedBackup, Boolean> which) {
        return chain.stream().filter(which::apply).toList();
    }

    private void kind(
            String name, RetentionPolicy.Kind kind, Function<RetainedBackup, Boolean> which) {
        List<RetainedBackup> all = select(which);
        if (!kind.speaks() && !policy.periods().speaks()) {
            all.forEach(each -> keep(each, "no rule is about " + name + " backups"));
        }
        kind.count()
                .ifPresent(
                        count -> {
                            Set<RetainedBackup> newest = newest(count, all);
                            for (RetainedBackup each : all) {
                                if (newest.contains(each)) {
                                    keep(each, name + " count " + count);
                                } else {
                                    say(each, "not among the newest " + count + " " + name);
                                }
                            }
                        });
        kind.days().ifPresent(days -> days(name, days, all));
    }

    private void days(String name, int days, List<RetainedBackup> all) {
        ChainTimes times = new ChainTimes(all, now);
        Instant since = now.minus(Duration.ofDays(days));
        for (RetainedBackup each : all) {
            if (times.of(each).isAfter(since)) {
                keep(each, name + " days " + days);
            } else {
                say(each, "older than " + days + " days");
            }
        }
    }

    /// The newest backup of each period, for the last periods of which there is one.
    private void periods(Period period, int wanted) {
        Set<String> complete = new LinkedHashSet<>();
        Set<String> any = new HashSet<>();
        for (RetainedBackup each : chain.reversed()) {
            String key = period.of(each.end(), policy.zone());
            if (complete.contains(key)) {
                say(each, "not the newest of " + period.word() + " " + key);
            } else if (complete.size() == wanted) {
                say(each, period.word() + " " + key + " is before the last " + wanted + " of them");
            } else if (each.complete()) {
                complete.add(key);
                keep(each, period.key() + " " + wanted + ": newest of " + key);
            } else if (any.add(key)) {
                keep(each, period.key() + " " + wanted + ": newest of " + key);
            } else {
                say(each, "not the newest of " + period.word() + " " + key);
            }
        }
    }

    private void atMost(String rule, int most, Function<RetainedBackup, Boolean> which) {
        if (most < 0) {
            return;
        }
        List<RetainedBackup> wanted =
                select(which).stream().filter(each -> !reasons(each).isEmpty()).toList();
        Set<RetainedBackup> newest = newest(most, wanted);
        for (RetainedBackup each : wanted) {
            if (!newest.contains(each)) {
                kept.remove(each);
                against.put(each, List.of("beyond " + rule + most));
            }
        }
    }

    /// The newest, until there are so many complete ones.
    static Set<RetainedBackup> newest(int count, List<RetainedBackup> chain) {
        Set<RetainedBackup> newest = new HashSet<>();
        int complete = 0;
        for (RetainedBackup each : chain.reversed()) {
            if (complete == count) {
                break;
            }
            newest.add(each);
            complete += each.complete() ? 1 : 0;
        }
        return newest;
    }

    private void keep(RetainedBackup backup, String reason) {
        kept.computeIfAbsent(backup, _ -> new ArrayList<>()).add(reason);
    }

    private void say(RetainedBackup backup, String reason) {
        against.computeIfAbsent(backup, _ -> new ArrayList<>()).add(reason);
    }
}
