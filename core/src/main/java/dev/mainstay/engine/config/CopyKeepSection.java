package dev.mainstay.engine.config;

import dev.mainstay.engine.retention.CopyKeep;
import dev.mainstay.engine.retention.RetentionPolicy;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/// What a copy is to hold: `keep` of an entry of the section `copies`.
final class CopyKeepSection {
    private CopyKeepSection() {}

    static CopyKeep read(ConfigNode node, Map<String, SourceSettings> sources) {
        CopyKeep keep = read(node);
        demandKept(node, keep, sources);
        return keep;
    }

    private static CopyKeep read(ConfigNode node) {
        try {
            if (!node.isMapping()) {
                return new CopyKeep(periods(node), OptionalInt.empty());
            }
            Map<String, ConfigNode> entries = node.entries("periods", "younger-than");
            ConfigNode periods = entries.get("periods");
            ConfigNode age = entries.get("younger-than");
            return new CopyKeep(
                    periods == null ? Set.of() : periods(periods),
                    age == null
                            ? OptionalInt.empty()
                            : OptionalInt.of(age.parsed(CopyKeepSection::days)));
        } catch (IllegalArgumentException wrong) {
            throw node.invalid(String.valueOf(wrong.getMessage()));
        }
    }

    private static Set<String> periods(ConfigNode node) {
        Set<String> names = new HashSet<>();
        names.addAll(node.texts());
        return names;
    }

    private static int days(String text) {
        Duration age = Durations.parse(text);
        if (age.toDays() < 1 || !age.equals(Duration.ofDays(age.toDays()))) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a number of whole days (try 24h, 7d)");
        }
        return Math.toIntExact(age.toDays());
    }

    /// A copy cannot hold what the repository does not keep.
    private static void demandKept(
            ConfigNode node, CopyKeep keep, Map<String, SourceSettings> sources) {
        sources.forEach(
                (name, source) -> {
                    RetentionPolicy policy = source.retention();
                    List<String> unkept = keep.unkept(policy);
                    if (!unkept.isEmpty()) {
                        throw node.invalid(
                                "names "
                                        + String.join(", ", unkept)
                                        + ", of which the retention of source "
                                        + name
                                        + " keeps nothing ("
                                        + policy
                                        + ")");
                    }
                });
    }
}
