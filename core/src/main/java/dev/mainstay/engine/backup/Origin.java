package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.format.SegmentMap;

/// Which cluster is backed up, and how it is laid out: known before the first file is read, by
/// whichever way files come.
record Origin(SystemId systemId, TimelineId timeline, BackupDetails.Layout layout) {
    Origin {
        if (layout.segmentPages() > SegmentMap.MAX_PAGES) {
            throw new MainstayException(
                    ErrorCode.SEGMENT_TOO_LARGE,
                    "the server was built with relation segment files of "
                            + layout.segmentPages()
                            + " blocks (--with-segsize)");
        }
    }

    static Origin of(ControlFile control) {
        ControlFile.Layout layout = control.layout();
        return new Origin(
                control.systemId(),
                control.checkpoint().timeline(),
                new BackupDetails.Layout(
                        layout.blockSizeBytes(),
                        layout.relationSegmentBlocks(),
                        layout.walSegmentSizeBytes(),
                        layout.walBlockSizeBytes(),
                        control.hasDataChecksums()));
    }
}
