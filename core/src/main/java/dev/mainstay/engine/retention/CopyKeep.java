package dev.mainstay.engine.retention;

import dev.mainstay.engine.retention.RetentionPolicy.Kind;
import dev.mainstay.engine.retention.RetentionPolicy.Periods;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/// Which of a source's backups a copy is to hold.
///
/// @param periods of the source's policy: `monthly` and so on
/// @param days all that ended in the last so many days, and every second of them
public record CopyKeep(Set<String> periods, OptionalInt days) {
    public CopyKeep {
        periods = Set.copyOf(periods);
        if (periods.isEmpty() && days.isEmpty()) {
            throw new IllegalArgumentException("says nothing that is kept");
        }
        List<String> known = names();
        for (String each : new TreeSet<>(periods)) {
            if (!known.contains(each)) {
                throw new IllegalArgumentException(
                        "'" + each + "' is none of " + String.join(", ", known));
            }
        }
    }

    /// What can be named.
    public static List<String> names() {
        return Arrays.stream(Period.values()).map(Period::key).toList();
    }

    /// Those that are named here and of which a source's policy keeps nothing.
    public List<String> unkept(RetentionPolicy source) {
        return Arrays.stream(Period.values())
                .filter(each -> periods.contains(each.key()) && each.wanted(source.periods()) == 0)
                .map(Period::key)
                .toList();
    }

    /// The policy that the copy of a source has: the same periods, as far as they are named here.
    /// What no policy ever removes stays in a copy as well.
    RetentionPolicy of(RetentionPolicy source) {
        Periods some =
                new Periods(
                        wanted(Period.HOURLY, source),
                        wanted(Period.DAILY, source),
                        wanted(Period.WEEKLY, source),
                        wanted(Period.MONTHLY, source),
                        wanted(Period.YEARLY, source));
        Kind kind = new Kind(OptionalInt.empty(), days, OptionalInt.empty());
        return new RetentionPolicy(
                kind,
                kind,
                some,
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.of(days.orElse(0)),
                source.zone());
    }

    private int wanted(Period period, RetentionPolicy source) {
        return periods.contains(period.key()) ? period.wanted(source.periods()) : 0;
    }
}
