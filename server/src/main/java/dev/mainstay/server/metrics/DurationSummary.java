package dev.mainstay.server.metrics;

import io.prometheus.metrics.model.registry.Collector;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.Quantile;
import io.prometheus.metrics.model.snapshots.Quantiles;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// `backup_duration_seconds`: how long backups took, all of them by count and sum, those of late by
/// quantiles.
///
/// @param recent the shortest first
record DurationSummary(
        String source, String type, long count, double sum, List<Duration> recent) {
    private static final List<Double> QUANTILES = List.of(0.5, 0.95, 1.0);

    /// All of them in one family.
    static Collector family(List<DurationSummary> all) {
        return () -> snapshot(all);
    }

    private static MetricSnapshot snapshot(List<DurationSummary> all) {
        SummarySnapshot.Builder builder =
                SummarySnapshot.builder()
                        .name("backup_duration_seconds")
                        .help("How long backups took that ended well; quantiles of the last hundred");
        all.forEach(each -> builder.dataPoint(each.point()));
        return builder.build();
    }

    private SummarySnapshot.SummaryDataPointSnapshot point() {
        return SummarySnapshot.SummaryDataPointSnapshot.builder()
                .labels(Labels.of("type", type, "component", source))
                .count(count)
                .sum(sum)
                .quantiles(quantiles())
                .build();
    }

    private Quantiles quantiles() {
        List<Quantile> quantiles = new ArrayList<>();
        for (double part : QUANTILES) {
            if (!recent.isEmpty()) {
                int at = (int) Math.ceil(part * recent.size()) - 1;
                quantiles.add(
                        new Quantile(part, recent.get(Math.max(0, at)).toMillis() / 1000.0));
            }
        }
        return quantiles.isEmpty() ? Quantiles.EMPTY : Quantiles.of(quantiles);
    }
}
