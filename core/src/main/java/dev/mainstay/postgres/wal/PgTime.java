package dev.mainstay.postgres.wal;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/// PostgreSQL's timestamps: microseconds since 2000-01-01 00:00 UTC.
final class PgTime {
    private static final Instant EPOCH = Instant.parse("2000-01-01T00:00:00Z");

    private PgTime() {}

    static Instant instant(long micros) {
        return EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    static long micros(Instant time) {
        return ChronoUnit.MICROS.between(EPOCH, time);
    }
}
