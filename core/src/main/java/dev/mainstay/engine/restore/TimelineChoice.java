package dev.mainstay.engine.restore;

import dev.mainstay.base.TimelineId;

/// Along which timeline a restore replays the log.
public sealed interface TimelineChoice {
    /// The newest one of which WAL is stored.
    record Latest() implements TimelineChoice {
        @Override
        public String toString() {
            return "latest";
        }
    }

    /// The one the backup was taken on.
    record Current() implements TimelineChoice {
        @Override
        public String toString() {
            return "current";
        }
    }

    record Named(TimelineId timeline) implements TimelineChoice {
        @Override
        public String toString() {
            return timeline.toString();
        }
    }
}
