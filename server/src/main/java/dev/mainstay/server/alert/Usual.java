package dev.mainstay.server.alert;

import java.util.List;
import java.util.Optional;

/// What is usual, by the median and the median distance from it (MAD): a few that were not are no
/// part of it.
///
/// @param spread the median distance, and at least a twentieth of the median: what never varied may
///   vary a little
record Usual(double median, double spread) {
    /// Fewer say nothing.
    static final int LEAST = 8;

    /// So many spreads away, and half of the median, is unusual.
    private static final double MANY = 5;

    /// Empty for less than [#LEAST] values.
    static Optional<Usual> of(List<Double> values) {
        if (values.size() < LEAST) {
            return Optional.empty();
        }
        double median = median(values);
        double distance = median(values.stream().map(each -> Math.abs(each - median)).toList());
        return Optional.of(new Usual(median, Math.max(distance, median / 20)));
    }

    private static double median(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(middle)
                : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }

    private double band() {
        return Math.max(MANY * spread, median / 2);
    }

    /// How many times the usual a value is.
    double times(Number value) {
        return value.doubleValue() / Math.max(1, median);
    }

    boolean isTooMuch(Number value) {
        return value.doubleValue() > median + band();
    }

    boolean isTooLittle(Number value) {
        return value.doubleValue() < median - band();
    }
}
