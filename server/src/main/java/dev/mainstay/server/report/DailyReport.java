package dev.mainstay.server.report;

import dev.mainstay.base.ByteSize;
import dev.mainstay.server.alert.Alert;
import dev.mainstay.server.metrics.ArchiveFacts;
import dev.mainstay.server.metrics.Facts;
import dev.mainstay.server.metrics.JobFacts;
import dev.mainstay.server.metrics.SourceFacts;
import dev.mainstay.server.view.KnownBackup;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// What was protected yesterday, and what somebody should do today. The names of the fields are those
/// that operators' programs read.
///
/// @param databaseBackups one for each source
/// @param fileBackups of sources that are files: there are none yet
/// @param configurationBackups of configuration alone: it is a part of each database backup
/// @param overallHealth `healthy`, `warning`, `critical`
/// @param recommendations what to do, the gravest first
public record DailyReport(
        Instant reportDate,
        List<Database> databaseBackups,
        List<Database> fileBackups,
        List<Database> configurationBackups,
        String overallHealth,
        List<OpenAlert> alerts,
        List<String> recommendations) {
    private static final Duration DAY = Duration.ofDays(1);

    /// @param backups that ended in the last day
    /// @param recoveryPointSeconds what would be lost if the cluster were lost now; empty if nothing can be recovered
    public record Database(
            String source,
            int backups,
            int failures,
            int kept,
            @Nullable Instant newest,
            @Nullable String newestType,
            @Nullable Long newestBytes,
            @Nullable Long newestStoredBytes,
            @Nullable Long newestSeconds,
            @Nullable Instant windowBegin,
            @Nullable Instant windowEnd,
            @Nullable Long recoveryPointSeconds,
            @Nullable Long recoveryTimeSeconds,
            @Nullable Instant verified) {}

    /// Something that is wrong.
    public record OpenAlert(String id, String severity, String state, String title, Instant since) {}

    /// @param open alerts that are not resolved
    static DailyReport of(Facts facts, List<Alert> open, Instant now) {
        List<Database> databases =
                facts.sources().values().stream().map(each -> database(facts, each, now)).toList();
        List<Alert> sorted =
                open.stream()
                        .sorted(
                                Comparator.comparing(Alert::severity)
                                        .thenComparing(Alert::began))
                        .toList();
        String health =
                sorted.isEmpty()
                        ? "healthy"
                        : switch (sorted.getFirst().severity()) {
                            case CRITICAL, HIGH -> "critical";
                            case WARNING -> "warning";
                            case INFO -> "healthy";
                        };
        return new DailyReport(
                now,
                databases,
                List.of(),
                List.of(),
                health,
                sorted.stream()
                        .map(
                                each ->
                                        new OpenAlert(
                                                each.id(),
                                                each.severity().word(),
                                                each.state().word(),
                                                each.title(),
                                                each.began()))
                        .toList(),
                recommendations(facts, databases, sorted));
    }

    private static Database database(Facts facts, SourceFacts source, Instant now) {
        @Nullable ArchiveFacts archive = source.archive().orElse(null);
        @Nullable KnownBackup newest =
                archive == null ? null : archive.newest().orElse(null);
        int backups =
                archive == null
                        ? 0
                        : (int)
                                archive.backups().stream()
                                        .filter(each -> each.end().isAfter(now.minus(DAY)))
                                        .count();
        return new Database(
                source.name(),
                backups,
                facts.jobs().failures().getOrDefault(source.name(), 0),
                archive == null ? 0 : archive.backups().size(),
                newest == null ? null : newest.end(),
                newest == null ? null : newest.type(),
                newest == null ? null : newest.bytes(),
                newest == null ? null : newest.bytesStored(),
                newest == null ? null : newest.duration().toSeconds(),
                archive == null ? null : archive.windowBegin().orElse(null),
                archive == null ? null : archive.covered().orElse(null),
                archive == null
                        ? null
                        : archive.recoveryPoint(now).map(Duration::toSeconds).orElse(null),
                facts.jobs()
                        .restore(source.name())
                        .map(took -> took.time().toSeconds())
                        .orElse(null),
                facts.jobs()
                        .newestDone("verify", source.name())
                        .map(JobFacts.Ended::ended)
                        .orElse(null));
    }

    private static List<String> recommendations(
            Facts facts, List<Database> databases, List<Alert> alerts) {
        List<String> todo = new ArrayList<>();
        for (Alert alert : alerts) {
            todo.add(alert.title() + ": " + alert.todo());
        }
        if (facts.copies().isEmpty()) {
            todo.add(
                    "There is no copy of the repository: configure one elsewhere ('copies'), for the"
                            + " day when it is lost.");
        }
        for (Database each : databases) {
            if (each.newest() != null && each.recoveryTimeSeconds() == null) {
                todo.add(
                        "Nobody has restored "
                                + each.source()
                                + " yet, so nobody knows how long it takes: try it, mainstay restore "
                                + each.source()
                                + " --to DIR");
            }
        }
        return todo;
    }

    /// For people who read mail.
    String text() {
        StringBuilder text = new StringBuilder();
        text.append("Report of ").append(reportDate).append("\nOverall: ").append(overallHealth);
        text.append("\n\nDatabase backups\n");
        for (Database each : databaseBackups) {
            text.append("- ").append(each.source()).append(": ");
            if (each.newest() == null) {
                text.append("no backup\n");
                continue;
            }
            text.append(each.backups())
                    .append(" in the last day, ")
                    .append(each.failures())
                    .append(" failed, ")
                    .append(each.kept())
                    .append(" kept\n  newest: ")
                    .append(each.newest())
                    .append(" (")
                    .append(each.newestType())
                    .append(", ")
                    .append(ByteSize.of(orZero(each.newestBytes())))
                    .append(", stored ")
                    .append(ByteSize.of(orZero(each.newestStoredBytes())))
                    .append(", ")
                    .append(each.newestSeconds())
                    .append(" s)\n  recoverable: ")
                    .append(each.windowBegin() == null ? "backups only" : each.windowBegin())
                    .append(" to ")
                    .append(each.windowEnd())
                    .append("\n  would be lost now: ")
                    .append(each.recoveryPointSeconds())
                    .append(" s\n  newest restore: ")
                    .append(
                            each.recoveryTimeSeconds() == null
                                    ? "none yet"
                                    : each.recoveryTimeSeconds() + " s")
                    .append("\n  verified: ")
                    .append(each.verified() == null ? "not yet" : each.verified())
                    .append('\n');
        }
        text.append("\nFile backups: none configured\nConfiguration: with each database backup\n");
        text.append("\nRecommendations\n");
        recommendations.forEach(each -> text.append("- ").append(each).append('\n'));
        if (recommendations.isEmpty()) {
            text.append("- nothing to do\n");
        }
        return text.toString();
    }

    private static long orZero(@Nullable Long value) {
        return value == null ? 0 : value;
    }

    /// For people who look at a page.
    String html() {
        String title = "Mainstay, " + reportDate;
        return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
                + escaped(title)
                + "</title></head><body><h1>"
                + escaped(title)
                + "</h1><pre>"
                + escaped(text())
                + "</pre></body></html>";
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
