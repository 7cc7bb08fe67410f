package dev.mainstay.engine.retention;

import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.OptionalInt;

/// What of a source is kept. A backup stays if any rule keeps it; a kind of backup of which no rule
/// speaks is kept. What is never removed, whatever a policy says, is told by [RetentionRule].
///
/// @param full of full backups alone
/// @param incremental of incremental backups alone
/// @param periods of backups of any kind: the newest of each period
/// @param minimum so many of the newest backups stay, whatever else is said
/// @param maximum of the backups that rules keep no more than the newest so many stay
/// @param walDays every second of the last so many days can be recovered
/// @param zone in which days, weeks, months and years begin
public record RetentionPolicy(
        Kind full,
        Kind incremental,
        Periods periods,
        OptionalInt minimum,
        OptionalInt maximum,
        OptionalInt walDays,
        ZoneId zone) {

    /// Of one kind of backup.
    ///
    /// @param count the newest so many are kept
    /// @param days those that ended in the last so many days are kept
    /// @param maximum of those that rules keep no more than the newest so many
    public record Kind(OptionalInt count, OptionalInt days, OptionalInt maximum) {
        public static final Kind UNSAID =
                new Kind(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());

        boolean speaks() {
            return count.isPresent() || days.isPresent();
        }
    }

    /// Of how many of the last hours, days and so on in which there was a backup the newest one is
    /// kept; 0 for none.
    public record Periods(int hourly, int daily, int weekly, int monthly, int yearly) {
        public static final Periods NONE = new Periods(0, 0, 0, 0, 0);

        boolean speaks() {
            return hourly + daily + weekly + monthly + yearly > 0;
        }
    }

    private static final RetentionPolicy EVERYTHING =
            new RetentionPolicy(
                    Kind.UNSAID,
                    Kind.UNSAID,
                    Periods.NONE,
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    OptionalInt.empty(),
                    ZoneOffset.UTC);

    public RetentionPolicy {
        if (minimum.isPresent() && maximum.isPresent() && minimum.getAsInt() > maximum.getAsInt()) {
            throw new IllegalArgumentException(
                    "minimum "
                            + minimum.getAsInt()
                            + " is more than maximum "
                            + maximum.getAsInt());
        }
    }

    /// Nothing is ever removed; what a source has for which nothing is configured.
    public static RetentionPolicy everything() {
        return EVERYTHING;
    }

    Kind of(RetainedBackup backup) {
        return backup.incremental() ? incremental : full;
    }

    /// In the words of the configuration, for people and for the record of an expiry.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        kind(text, "full", full);
        kind(text, "incremental", incremental);
        number(text, "hourly", periods.hourly);
        number(text, "daily", periods.daily);
        number(text, "weekly", periods.weekly);
        number(text, "monthly", periods.monthly);
        number(text, "yearly", periods.yearly);
        minimum.ifPresent(count -> part(text, "minimum " + count));
        maximum.ifPresent(count -> part(text, "maximum " + count));
        walDays.ifPresent(days -> part(text, "wal days " + days));
        if (text.isEmpty()) {
            return "everything is kept";
        }
        if (periods.speaks()) {
            part(text, "time-zone " + zone);
        }
        return text.toString();
    }

    private static void kind(StringBuilder text, String name, Kind kind) {
        kind.count.ifPresent(count -> part(text, name + " count " + count));
        kind.days.ifPresent(days -> part(text, name + " days " + days));
        kind.maximum.ifPresent(most -> part(text, name + " maximum " + most));
    }

    private static void number(StringBuilder text, String name, int count) {
        if (count > 0) {
            part(text, name + " " + count);
        }
    }

    private static void part(StringBuilder text, String part) {
        text.append(text.isEmpty() ? "" : ", ").append(part);
    }
}
