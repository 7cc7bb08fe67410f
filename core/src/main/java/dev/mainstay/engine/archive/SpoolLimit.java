package dev.mainstay.engine.archive;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.ReceiverSettings;

import java.time.Duration;

/// What may wait in the spool while the repository is down. At the limit receiving stops, so that
/// the server keeps its WAL; it goes on once a quarter is free again.
final class SpoolLimit {
    private static final int ALARM_PERCENT = 70;
    private static final Duration LOOK = Duration.ofMillis(200);

    private final Spool spool;
    private final ReceiverSettings settings;
    private final StopSignal stop;
    private final Progress progress;
    private boolean alarmed;

    /// @throws MainstayException CONFIG_INVALID for a limit that one segment would reach for ever
    SpoolLimit(Spool spool, ReceiverSettings settings, StopSignal stop, Progress progress) {
        this.spool = spool;
        this.settings = settings;
        this.stop = stop;
        this.progress = progress;
        if (settings.spoolLimit().bytes() < 2L * spool.segmentSizeBytes()) {
            throw new MainstayException(
                    ErrorCode.CONFIG_INVALID,
                    "receiver.spool-limit is "
                            + settings.spoolLimit()
                            + ", less than two of the server's WAL segments of "
                            + ByteSize.of(spool.segmentSizeBytes()),
                    "raise it: it bounds how long the repository may be away",
                    null);
        }
    }

    /// Tells once when it comes near.
    boolean isReached() {
        long waiting = spool.bytes();
        long limit = settings.spoolLimit().bytes();
        boolean near = waiting / ALARM_PERCENT > limit / 100;
        if (near && !alarmed && waiting < limit) {
            progress.note(
                    "WARNING: "
                            + ErrorCode.WAL_SPOOL_LIMIT.id()
                            + ": the spool "
                            + spool.directory()
                            + " holds "
                            + ByteSize.of(waiting)
                            + " of at most "
                            + settings.spoolLimit()
                            + "; receiving will stop there");
        }
        alarmed = near;
        return waiting >= limit;
    }

    /// Waits until there is room again, if the limit is reached.
    ///
    /// @param meanwhile is run again and again
    void awaitRoom(Runnable meanwhile) {
        if (!isReached()) {
            return;
        }
        progress.note(
                "ALARM: "
                        + ErrorCode.WAL_SPOOL_LIMIT.id()
                        + ": the spool "
                        + spool.directory()
                        + " is at its limit of "
                        + settings.spoolLimit()
                        + ": receiving stops, and the server keeps its WAL. HINT: "
                        + ErrorCode.WAL_SPOOL_LIMIT.hint());
        long enough = Math.max(settings.spoolLimit().bytes() / 4 * 3, spool.segmentSizeBytes());
        while (spool.bytes() > enough) {
            meanwhile.run();
            stop.pause(LOOK);
            if (stop.isRaised()) {
                return;
            }
        }
        progress.note("the spool has room again; receiving goes on");
    }
}
