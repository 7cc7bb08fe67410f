package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

/// A position in the log of one timeline.
record StreamPosition(TimelineId timeline, Lsn lsn) {
    static StreamPosition startOf(WalSegment segment) {
        return new StreamPosition(segment.timeline(), segment.start());
    }

    WalSegment segment(int segmentSizeBytes) {
        return WalSegment.containing(timeline, lsn, segmentSizeBytes);
    }
}
