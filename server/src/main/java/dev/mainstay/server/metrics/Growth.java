package dev.mainstay.server.metrics;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How fast something grows: the median of the slopes between all pairs of samples (Theil and Sen),
/// which one `prune` or one full backup does not throw off.
final class Growth {
    /// Less than a day says nothing of days.
    private static final Duration LEAST = Duration.ofDays(1);

    private static final int MOST = 200;

    /// A size at a time.
    record Sample(Instant at, long bytes) {}

    private Growth() {}

    /// Bytes a second; empty where the samples tell nothing.
    ///
    /// @param samples in the order of time
    static Optional<Double> of(List<Sample> samples) {
        if (samples.size() < 3
                || Duration.between(samples.getFirst().at(), samples.getLast().at())
                                .compareTo(LEAST)
                        < 0) {
            return Optional.empty();
        }
        List<Sample> some = thinned(samples);
        List<Double> slopes = new ArrayList<>();
        for (int i = 0; i < some.size(); i++) {
            for (int j = i + 1; j < some.size(); j++) {
                double seconds =
                        Duration.between(some.get(i).at(), some.get(j).at()).toMillis() / 1000.0;
                if (seconds > 0) {
                    slopes.add((some.get(j).bytes() - some.get(i).bytes()) / seconds);
                }
            }
        }
        slopes.sort(Double::compare);
        return slopes.isEmpty() ? Optional.empty() : Optional.of(slopes.get(slopes.size() / 2));
    }

    private static List<Sample> thinned(List<Sample> samples) {
        int step = Math.max(1, samples.size() / MOST);
        List<Sample> some = new ArrayList<>();
        for (int i = 0; i < samples.size(); i += step) {
            some.add(samples.get(i));
        }
        return some;
    }

    /// How long `free` lasts; empty if that is not known, or it does not grow.
    static Optional<Duration> lasts(List<Sample> samples, long free) {
        return of(samples)
                .filter(slope -> slope > 0)
                .map(slope -> Duration.ofSeconds((long) Math.min(free / slope, 1e11)));
    }
}
