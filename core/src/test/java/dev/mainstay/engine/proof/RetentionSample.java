package dev.mainstay.engine.proof;

import dev.mainstay.engine.retention.RetentionPolicy;
import dev.mainstay.engine.retention.RetentionPolicy.Kind;

import java.time.ZoneOffset;
import java.util.OptionalInt;

/// Policies for tests.
final class RetentionSample {
    private static final Kind NONE =
            new Kind(OptionalInt.of(0), OptionalInt.empty(), OptionalInt.empty());

    private RetentionSample() {}

    /// The newest so many, and all WAL since.
    static RetentionPolicy newest(int count) {
        return policy(count, OptionalInt.empty());
    }

    /// The newest so many, and every second of some days.
    static RetentionPolicy newestAndWal(int count, int days) {
        return policy(count, OptionalInt.of(days));
    }

    private static RetentionPolicy policy(int count, OptionalInt walDays) {
        return new RetentionPolicy(
                NONE,
                NONE,
                RetentionPolicy.Periods.NONE,
                OptionalInt.of(count),
                OptionalInt.empty(),
                walDays,
                ZoneOffset.UTC);
    }
}
