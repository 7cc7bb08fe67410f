package dev.mainstay.server.metrics;

import dev.mainstay.base.Lsn;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Where a server's log ended when: how old what comes after a position is. PostgreSQL itself tells
/// that only while a standby goes on; one that stands still seems to keep up.
final class PositionTrail {
    private static final int MOST = 2000;

    private record Mark(Instant at, Lsn position) {}

    private final List<Mark> marks = new ArrayList<>();

    /// A position that goes back is another log's: what was known of the other one is of no use.
    synchronized void add(Instant at, Lsn position) {
        if (!marks.isEmpty() && position.isBefore(marks.getLast().position())) {
            marks.clear();
        }
        int last = marks.size() - 1;
        if (last > 0
                && marks.get(last).position().equals(position)
                && marks.get(last - 1).position().equals(position)) {
            marks.set(last, new Mark(at, position)); // from when until when it stood there
        } else {
            marks.add(new Mark(at, position));
        }
        if (marks.size() > MOST) {
            thin();
        }
    }

    /// The older half keeps every second mark: what is long ago is known less exactly.
    private void thin() {
        List<Mark> kept = new ArrayList<>();
        for (int i = 0; i < marks.size(); i++) {
            if (i >= MOST / 2 || i % 2 == 0) {
                kept.add(marks.get(i));
            }
        }
        marks.clear();
        marks.addAll(kept);
    }

    /// Everything that the server had at that time lies before the position; empty if the position
    /// is older than all that is known.
    synchronized Optional<Instant> heldUntil(Lsn position) {
        return marks.reversed().stream()
                .filter(mark -> !mark.position().isAfter(position))
                .findFirst()
                .map(Mark::at);
    }

    /// How old the oldest byte after a position is; at least, where it is older than all that is
    /// known. Empty if nothing is.
    synchronized Optional<Duration> age(Lsn position, Instant now) {
        if (marks.isEmpty()) {
            return Optional.empty();
        }
        if (!position.isBefore(marks.getLast().position())) {
            return Optional.of(Duration.ZERO);
        }
        Instant since = heldUntil(position).orElse(marks.getFirst().at());
        return Optional.of(since.isAfter(now) ? Duration.ZERO : Duration.between(since, now));
    }

    synchronized Optional<Lsn> last() {
        return marks.isEmpty() ? Optional.empty() : Optional.of(marks.getLast().position());
    }
}
