package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How a timeline came to be: its ancestors, oldest first, and where each was left. A `.history`
/// file has a line for each — `timeline TAB position TAB reason` — and comment lines
/// (src/backend/access/transam/timeline.c).
///
/// @param timeline the youngest; it has no end
/// @param ancestors oldest first, timelines and positions rising (a position may repeat)
public record TimelineHistory(TimelineId timeline, List<Ancestor> ancestors) {
    /// @param end where its successor branched off: the first byte that belongs to the successor
    public record Ancestor(TimelineId timeline, Lsn end, String reason) {}

    public TimelineHistory {
        ancestors = List.copyOf(ancestors);
        for (int i = 0; i < ancestors.size(); i++) {
            Ancestor here = ancestors.get(i);
            TimelineId next = i + 1 < ancestors.size() ? ancestors.get(i + 1).timeline() : timeline;
            if (here.timeline().compareTo(next) >= 0) {
                throw invalid(timeline, "its timelines do not rise");
            }
            if (i > 0 && here.end().isBefore(ancestors.get(i - 1).end())) {
                throw invalid(timeline, "its positions do not rise");
            }
        }
    }

    /// A timeline without ancestors, as the first one is.
    public static TimelineHistory first(TimelineId timeline) {
        return new TimelineHistory(timeline, List.of());
    }

    /// Reads the content of the timeline's history file.
    ///
    /// @throws MainstayException WAL_FILE_INVALID if it is none
    public static TimelineHistory parse(TimelineId timeline, String content) {
        List<Ancestor> ancestors = new ArrayList<>();
        for (String line : content.lines().toList()) {
            String text = line.strip();
            if (text.isEmpty() || text.startsWith("#")) {
                continue;
            }
            String[] fields = text.split("\\s+", 3);
            if (fields.length < 2) {
                throw invalid(timeline, "there is a line with one field");
            }
            try {
                ancestors.add(
                        new Ancestor(
                                TimelineId.of(Integer.parseUnsignedInt(fields[0])),
                                Lsn.parse(fields[1]),
                                fields.length == 3 ? fields[2] : ""));
            } catch (IllegalArgumentException _) {
                throw invalid(timeline, "there is the line '" + text + "'");
            }
        }
        return new TimelineHistory(timeline, ancestors);
    }

    private static MainstayException invalid(TimelineId timeline, String why) {
        return new MainstayException(
                ErrorCode.WAL_FILE_INVALID,
                timeline.historyFileName() + " is no timeline history: " + why);
    }

    /// The content of the history file. PostgreSQL reads it; comments are not kept.
    public String print() {
        StringBuilder text = new StringBuilder();
        for (Ancestor ancestor : ancestors) {
            text.append(ancestor.timeline())
                    .append('\t')
                    .append(ancestor.end())
                    .append('\t')
                    .append(ancestor.reason())
                    .append('\n');
        }
        return text.toString();
    }

    /// The history of a timeline that branches off this one at `end`.
    public TimelineHistory branch(TimelineId child, Lsn end, String reason) {
        List<Ancestor> longer = new ArrayList<>(ancestors);
        longer.add(new Ancestor(timeline, end, reason));
        return new TimelineHistory(child, longer);
    }

    /// The timeline whose WAL holds the byte at `position` along this history.
    public TimelineId timelineAt(Lsn position) {
        for (Ancestor ancestor : ancestors) {
            if (position.isBefore(ancestor.end())) {
                return ancestor.timeline();
            }
        }
        return timeline;
    }

    /// Where this history leaves a timeline; empty for the youngest.
    ///
    /// @throws IllegalArgumentException if the timeline is not part of this history
    public Optional<Lsn> switchPoint(TimelineId left) {
        if (left.equals(timeline)) {
            return Optional.empty();
        }
        return Optional.of(
                ancestors.stream()
                        .filter(ancestor -> ancestor.timeline().equals(left))
                        .findFirst()
                        .orElseThrow(
                                () ->
                                        new IllegalArgumentException(
                                                "timeline "
                                                        + left
                                                        + " is no ancestor of "
                                                        + timeline))
                        .end());
    }

    /// Whether `other` is this timeline or one it descends from.
    public boolean isAncestor(TimelineId other) {
        return other.equals(timeline)
                || ancestors.stream().anyMatch(ancestor -> ancestor.timeline().equals(other));
    }

    /// Whether a state reached on timeline `at` at `position` — the end of a backup, say — lies on
    /// the way to this timeline. The switch point itself does: nothing follows it there.
    public boolean isOnPath(TimelineId at, Lsn position) {
        return isAncestor(at) && switchPoint(at).map(end -> !position.isAfter(end)).orElse(true);
    }
}
