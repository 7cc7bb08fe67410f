package dev.mainstay.engine.archive;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.protocol.WalMessage;
import dev.mainstay.postgres.protocol.WalMessage.TimelineEnd;
import dev.mainstay.postgres.protocol.WalStream;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/// Brings a server's stream into the spool, syncs it, and reports what is synced as flushed.
final class Inflow {
    private static final Duration SYNC_AT_LEAST = Duration.ofMillis(200);

    private final Spool spool;
    private final SpoolLimit limit;
    private final SpoolUploader uploader;
    private final Positions positions;
    private final ReceiverSettings settings;
    private final StopSignal stop;
    private final Consumer<ReceiverStatus> observer;
    private Optional<StreamPosition> reached = Optional.empty();
    private boolean segmentFinished;

    Inflow(
            Spool spool,
            SpoolLimit limit,
            SpoolUploader uploader,
            Positions positions,
            ReceiverSettings settings,
            StopSignal stop,
            Consumer<ReceiverStatus> observer) {
        this.spool = spool;
        this.limit = limit;
        this.uploader = uploader;
        this.positions = positions;
        this.settings = settings;
        this.stop = stop;
        this.observer = observer;
    }

    /// A new stream begins.
    void forget() {
        reached = Optional.empty();
    }

    /// End of what this stream brought; empty if it brought nothing yet.
    Optional<StreamPosition> reached() {
        return reached;
    }

    /// Receives until the server leaves the timeline, the receiver is stopped or the spool is full.
    ///
    /// @param begin start of a segment
    /// @return the end of the timeline; empty when the stream was left
    Optional<TimelineEnd> receive(WalStream stream, StreamPosition begin) {
        boolean dirty = false;
        long lastSync = System.nanoTime();
        long lastStatus = 0;
        while (!stop.isRaised()) {
            WalMessage message =
                    stream.read(dirty ? Duration.ZERO : settings.statusInterval().dividedBy(10));
            boolean reply = false;
            switch (message) {
                case WalMessage.WalData data -> {
                    positions.server(data.serverEnd());
                    append(begin, data);
                    dirty = true;
                }
                case WalMessage.KeepAlive alive -> {
                    positions.server(alive.serverEnd());
                    reply = alive.replyRequested();
                }
                case TimelineEnd end -> {
                    spool.sync().ifPresent(positions::spooled);
                    return Optional.of(end);
                }
                case WalMessage.Idle _ -> {}
            }
            long now = System.nanoTime();
            boolean quiet = message instanceof WalMessage.Idle;
            if (dirty && (quiet || reply || now - lastSync > SYNC_AT_LEAST.toNanos())) {
                syncAndReport(stream, begin);
                dirty = false;
                lastSync = now;
            } else if (reply) {
                report(stream);
            }
            boolean due = now - lastStatus > settings.statusInterval().toNanos();
            if (due) {
                lastStatus = now;
                report(stream);
                observer.accept(positions.status(spool.waitingBytes(positions.stored())));
                uploader.check();
            }
            if ((due || segmentFinished) && limit.isReached()) {
                break;
            }
            segmentFinished = false;
        }
        syncAndReport(stream, begin);
        stream.stop();
        return Optional.empty();
    }

    private void append(StreamPosition begin, WalMessage.WalData data) {
        Lsn at = data.start();
        ByteBuffer bytes = data.data().duplicate();
        int size = spool.segmentSizeBytes();
        int end = bytes.limit();
        while (bytes.position() < end) {
            WalSegment segment = WalSegment.containing(begin.timeline(), at, size);
            int offset = (int) at.minus(segment.start());
            int piece = Math.min(end - bytes.position(), size - offset);
            bytes.limit(bytes.position() + piece);
            spool.append(segment, offset, bytes);
            bytes.position(bytes.limit()).limit(end);
            at = at.plus(piece);
            if (offset + piece == size) {
                spool.sync().ifPresent(positions::spooled);
                uploader.wake();
                segmentFinished = true;
            }
        }
        reached = Optional.of(new StreamPosition(begin.timeline(), data.end()));
    }

    private void syncAndReport(WalStream stream, StreamPosition begin) {
        spool.sync().filter(end -> end.isAfter(begin.lsn())).ifPresent(positions::spooled);
        uploader.arrived();
        report(stream);
    }

    private void report(WalStream stream) {
        Lsn spooled = positions.spooled();
        stream.sendStatus(spooled, spooled, Lsn.NONE, false);
    }
}
