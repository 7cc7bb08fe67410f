package dev.mainstay.engine.retention;

import dev.mainstay.engine.retention.RetentionPolicy.Kind;
import dev.mainstay.engine.retention.RetentionPolicy.Periods;

import java.time.ZoneOffset;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/// Policies by name, as they are in use.
public final class RetentionPreset {
    private static final Map<String, RetentionPolicy> ALL = all();

    private RetentionPreset() {}

    /// By the names that the configuration knows.
    public static Map<String, RetentionPolicy> byName() {
        return ALL;
    }

    private static Map<String, RetentionPolicy> all() {
        Map<String, RetentionPolicy> all = new LinkedHashMap<>();
        all.put(
                "full-90-days",
                policy(
                        new Kind(OptionalInt.of(4), OptionalInt.of(90), OptionalInt.of(52)),
                        days(30),
                        Periods.NONE,
                        7));
        all.put("window-30-days", policy(days(30), days(30), Periods.NONE, 30));
        all.put("window-35-days", policy(days(35), days(35), Periods.NONE, 35));
        all.put(
                "daily-weekly-monthly",
                policy(Kind.UNSAID, Kind.UNSAID, new Periods(0, 30, 12, 12, 7), 7));
        all.put("all-90-days", policy(days(90), days(90), Periods.NONE, 90));
        all.put("forever", RetentionPolicy.everything());
        return Collections.unmodifiableMap(all);
    }

    private static RetentionPolicy policy(
            Kind full, Kind incremental, Periods periods, int walDays) {
        return new RetentionPolicy(
                full,
                incremental,
                periods,
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.of(walDays),
                ZoneOffset.UTC);
    }

    private static Kind days(int days) {
        return new Kind(OptionalInt.empty(), OptionalInt.of(days), OptionalInt.empty());
    }
}
