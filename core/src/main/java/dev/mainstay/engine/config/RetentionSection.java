package dev.mainstay.engine.config;

import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.RetentionPolicy.Kind;
import dev.mainstay.engine.retention.RetentionPolicy.Periods;
import dev.mainstay.engine.retention.RetentionPreset;

import org.jspecify.annotations.Nullable;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The section `retention`: of a source, or for all that have none of their own.
final class RetentionSection {
    private static final int MOST = 1_000_000;

    /// Three hundred years: more overflows nobody's clock.
    private static final int MOST_DAYS = 109_500;

    private RetentionSection() {}

    static RetentionPolicy read(ConfigNode node) {
        if (!node.isMapping()) {
            return node.parsed(RetentionSection::preset);
        }
        Map<String, ConfigNode> entries =
                node.entries(
                        "preset",
                        "full",
                        "incremental",
                        "hourly",
                        "daily",
                        "weekly",
                        "monthly",
                        "yearly",
                        "minimum",
                        "maximum",
                        "wal",
                        "time-zone");
        ConfigNode preset = entries.get("preset");
        RetentionPolicy base =
                preset == null
                        ? RetentionPolicy.everything()
                        : preset.parsed(RetentionSection::preset);
        Periods periods = base.periods();
        ConfigNode zone = entries.get("time-zone");
        try {
            return new RetentionPolicy(
                    kind(entries.get("full"), base.full()),
                    kind(entries.get("incremental"), base.incremental()),
                    new Periods(
                            count(entries.get("hourly"), periods.hourly()),
                            count(entries.get("daily"), periods.daily()),
                            count(entries.get("weekly"), periods.weekly()),
                            count(entries.get("monthly"), periods.monthly()),
                            count(entries.get("yearly"), periods.yearly())),
                    number(entries.get("minimum"), 1, MOST, base.minimum()),
                    number(entries.get("maximum"), 1, MOST, base.maximum()),
                    days(entries.get("wal"), base.walDays()),
                    zone == null ? base.zone() : zone.parsed(Sections::zone));
        } catch (IllegalArgumentException contradiction) {
            throw node.invalid(String.valueOf(contradiction.getMessage()));
        }
    }

    private static RetentionPolicy preset(String name) {
        return Optional.ofNullable(RetentionPreset.byName().get(name))
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "'"
                                                + name
                                                + "' is none of "
                                                + String.join(
                                                        ", ", RetentionPreset.byName().keySet())));
    }

    /// Replaces what a preset says of this kind as a whole.
    private static Kind kind(@Nullable ConfigNode node, Kind base) {
        if (node == null) {
            return base;
        }
        Map<String, ConfigNode> entries = node.entries("count", "days", "maximum");
        return new Kind(
                number(entries.get("count"), 0, MOST, OptionalInt.empty()),
                number(entries.get("days"), 0, MOST_DAYS, OptionalInt.empty()),
                number(entries.get("maximum"), 1, MOST, OptionalInt.empty()));
    }

    private static OptionalInt days(@Nullable ConfigNode node, OptionalInt base) {
        return node == null
                ? base
                : number(node.entries("days").get("days"), 0, MOST_DAYS, OptionalInt.empty());
    }

    private static int count(@Nullable ConfigNode node, int base) {
        return node == null ? base : node.integer(0, MOST);
    }

    private static OptionalInt number(
            @Nullable ConfigNode node, int least, int most, OptionalInt base) {
        return node == null ? base : OptionalInt.of(node.integer(least, most));
    }
}
