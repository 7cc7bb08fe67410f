package dev.mainstay.server.metrics;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the state knows of jobs.
///
/// @param totals over everything that ever was
/// @param newest of each kind, target and end the newest job
/// @param running those that are not over
/// @param recent how long backups took that ended well, of each source the newest hundred
/// @param restores of each source the newest that ended well
/// @param failures how many backups of each source failed in the last day
public record JobFacts(
        Instant at,
        List<Total> totals,
        List<Ended> newest,
        List<Running> running,
        List<Took> recent,
        List<Took> restores,
        Map<String, Integer> failures) {
    /// @param type of a backup as it was taken; of one that was not, as it was asked for; else empty
    /// @param seconds that they took, all together
    public record Total(
            String kind, String target, String type, String state, long count, double seconds) {}

    /// @param error the number of the error; empty if it ended well
    public record Ended(
            String id,
            String kind,
            String target,
            String state,
            String error,
            String message,
            Instant ended) {
        public boolean isDone() {
            return state.equals("done");
        }
    }

    /// @param started empty while it waits
    public record Running(
            String id, String kind, String target, Instant created, Optional<Instant> started) {}

    /// A job that ended well.
    public record Took(String target, String type, Instant ended, Duration time) {}

    public JobFacts {
        totals = List.copyOf(totals);
        newest = List.copyOf(newest);
        running = List.copyOf(running);
        recent = List.copyOf(recent);
        restores = List.copyOf(restores);
        failures = Map.copyOf(failures);
    }

    public static JobFacts none(Instant at) {
        return new JobFacts(at, List.of(), List.of(), List.of(), List.of(), List.of(), Map.of());
    }

    /// How long the newest restore of a source took that ended well.
    public Optional<Took> restore(String source) {
        return restores.stream().filter(took -> took.target().equals(source)).findFirst();
    }

    /// The newest job of a kind that is over, however it ended, unless somebody cancelled it.
    public Optional<Ended> newest(String kind, String target) {
        return newest.stream()
                .filter(each -> each.kind().equals(kind) && each.target().equals(target))
                .filter(each -> !each.state().equals("cancelled"))
                .max(Comparator.comparing(Ended::id));
    }

    /// The newest job of a kind that failed, whatever was afterwards.
    public Optional<Ended> newestFailed(String kind, String target) {
        return newest.stream()
                .filter(each -> each.kind().equals(kind) && each.target().equals(target))
                .filter(each -> each.state().equals("failed"))
                .findFirst();
    }

    /// The newest job of a kind that ended well.
    public Optional<Ended> newestDone(String kind, String target) {
        return newest.stream()
                .filter(each -> each.kind().equals(kind) && each.target().equals(target))
                .filter(Ended::isDone)
                .findFirst();
    }
}
