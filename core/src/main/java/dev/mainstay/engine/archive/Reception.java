package dev.mainstay.engine.archive;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.protocol.HistoryFile;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.SystemIdentity;
import dev.mainstay.postgres.protocol.WalMessage.TimelineEnd;
import dev.mainstay.postgres.protocol.WalStream;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/// Receives the WAL of one cluster: one stream after the other, each going on where the one before
/// ended, until it is stopped. Decides what a failure means: try again, a gap, or the end.
final class Reception implements AutoCloseable {
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /// Failures that may be over when it is tried again. A login that worked before may work again.
    private static final Set<ErrorCode> PASSING =
            EnumSet.of(
                    ErrorCode.SERVER_UNREACHABLE,
                    ErrorCode.SERVER_LOGIN_REFUSED,
                    ErrorCode.SERVER_RIGHT_MISSING,
                    ErrorCode.SERVER_TLS,
                    ErrorCode.SERVER_PROTOCOL,
                    ErrorCode.SERVER_QUERY_FAILED,
                    ErrorCode.STORE_UNAVAILABLE,
                    ErrorCode.STORE_FULL,
                    ErrorCode.STORE_REFUSED);

    /// What a receiver works with.
    ///
    /// @param firstPause before trying again after a failure; longer after each further one
    record Terms(
            ProtectedSource source,
            ReceiverSettings settings,
            int compressionLevel,
            Progress progress,
            Duration firstPause,
            Consumer<ReceiverStatus> observer) {}

    private final Terms terms;
    private final SystemId system;
    private final StopSignal stop;
    private final ServerLink link;
    private final SlotKeeper slot;
    private final Spool spool;
    private final WalArchive archive;
    private final Positions positions;
    private final SpoolUploader uploader;
    private final SpoolLimit limit;
    private final Inflow inflow;
    private Optional<StreamPosition> next = Optional.empty();
    private Optional<MainstayException> gap = Optional.empty();
    private int attempt;

    /// @param spool of this cluster
    Reception(
            Terms terms,
            SystemIdentity identity,
            Spool spool,
            ServerLink link,
            SlotKeeper slot,
            StopSignal stop) {
        this.terms = terms;
        this.system = identity.systemId();
        this.stop = stop;
        this.link = link;
        this.slot = slot;
        this.spool = spool;
        this.limit = new SpoolLimit(spool, terms.settings, stop, terms.progress);
        this.archive = terms.source.wal(system, terms.compressionLevel);
        this.positions =
                new Positions(terms.source.repository().ground().clock(), identity.timeline());
        this.uploader =
                new SpoolUploader(
                        spool,
                        archive,
                        positions,
                        terms.settings.shipInterval(),
                        terms.progress,
                        this::advanceSlot);
        this.inflow =
                new Inflow(spool, limit, uploader, positions, terms.settings, stop, terms.observer);
    }

    void run() {
        while (!stop.isRaised()) {
            try {
                uploader.check();
                limit.awaitRoom(this::look);
                if (!stop.isRaised()) {
                    stream();
                    attempt = 0;
                }
            } catch (MainstayException failed) {
                recover(failed);
            }
        }
    }

    private void look() {
        uploader.check();
        terms.observer.accept(positions.status(spool.waitingBytes(positions.stored())));
    }

    private void recover(MainstayException failed) {
        boolean passing = PASSING.contains(failed.code());
        if (stop.isRaised() && (passing || failed.code() == ErrorCode.INTERRUPTED)) {
            return;
        }
        spool.abandon();
        if (inflow.reached().isPresent()) {
            attempt = 0;
        }
        attempt++;
        if (failed.code() == ErrorCode.WAL_GAP) {
            gap = Optional.of(failed);
            if (attempt == 1) {
                return;
            }
        } else if (!passing) {
            throw failed;
        }
        Duration pause = pause();
        terms.progress.note(
                "WARNING: "
                        + failed.code().id()
                        + ": receiving was broken off: "
                        + failed.getMessage()
                        + "; trying again in "
                        + (pause.toMillis() + 999) / 1000
                        + " s");
        stop.pause(pause);
    }

    private Duration pause() {
        Duration wait = terms.firstPause.multipliedBy(1L << Math.min(attempt - 1, 8));
        return wait.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait;
    }

    private void stream() {
        inflow.forget();
        try (ReplicationConnection server = link.open()) {
            SystemIdentity identity = server.identifySystem();
            if (!identity.systemId().equals(system)) {
                throw new MainstayException(
                        ErrorCode.WAL_CONFLICT,
                        "the server became system " + identity.systemId() + ", it was " + system);
            }
            link.refuseOthers(slot);
            SlotKeeper.Kept kept = slot.ensure();
            StreamPosition begin = begin(server, identity, kept);
            spool.leave(Optional.of(begin.segment(spool.segmentSizeBytes())));
            positions.begin(begin.timeline(), begin.lsn());
            next = Optional.of(begin);
            try (WalStream stream =
                    server.startPhysicalReplication(
                            Optional.empty(), begin.lsn(), begin.timeline())) {
                link.refuseEarlier(slot, server);
                Optional<TimelineEnd> end = inflow.receive(stream, begin);
                if (end.isPresent()) {
                    follow(server, end.get());
                } else {
                    next = inflow.reached().or(() -> next);
                }
            } catch (MainstayException broken) {
                next = inflow.reached().or(() -> next);
                throw broken;
            }
        }
    }

    private StreamPosition begin(
            ReplicationConnection server, SystemIdentity identity, SlotKeeper.Kept kept) {
        if (gap.isPresent()) {
            return afterGap(server, identity, kept, gap.get());
        }
        if (next.isPresent()) {
            tellNewSlot(kept, next.get().lsn());
            return StreamPosition.startOf(next.get().segment(spool.segmentSizeBytes()));
        }
        TimelineHistory history = history(server, identity.timeline());
        ResumePoint resume = ResumePoint.find(archive, spool, history, kept.position());
        if (resume.stored().isBefore(kept.position())) {
            tellNewSlot(kept, resume.stored());
        }
        positions.storedBefore(resume.stored());
        return StreamPosition.startOf(resume.first());
    }

    private void tellNewSlot(SlotKeeper.Kept kept, Lsn from) {
        if (kept.state() != SlotKeeper.State.THERE) {
            terms.progress.note(
                    "WARNING: "
                            + ErrorCode.WAL_SLOT_LOST.id()
                            + ": replication slot "
                            + slot.slot()
                            + (kept.state() == SlotKeeper.State.MADE
                                    ? " was not there any more"
                                    : " was invalidated by the server")
                            + " and was made anew at "
                            + kept.position()
                            + "; fetching what follows "
                            + from
                            + ", if the server still has it");
        }
    }

    /// The server has removed WAL that was not received: the window ends, and a new one needs a
    /// backup. The gap is recorded before anything beyond it is received.
    private StreamPosition afterGap(
            ReplicationConnection server,
            SystemIdentity identity,
            SlotKeeper.Kept kept,
            MainstayException why) {
        StreamPosition last = next.orElseThrow();
        WalSegment broken = last.segment(spool.segmentSizeBytes());
        Lsn valid = broken.start().plus(spool.validBytes(broken));
        Lsn had = last.lsn().isBefore(valid) ? valid : last.lsn();
        Lsn from = kept.position();
        if (from.isBefore(broken.end())) {
            from = slot.renew();
        }
        if (from.isBefore(broken.end())) {
            from = identity.flushed(); // the server lacks even what it promised to keep
        }
        TimelineHistory history = history(server, identity.timeline());
        WalSegment first =
                WalSegment.containing(history.timelineAt(from), from, spool.segmentSizeBytes());
        terms.source
                .records()
                .append(
                        "wal-gap",
                        Json.object()
                                .put("system", system.toString())
                                .put("storedUpTo", had.toString())
                                .put("resumedAt", first.start().toString())
                                .put("reason", String.valueOf(why.getMessage())));
        spool.leave(Optional.empty());
        positions.gap();
        positions.storedBefore(first.start());
        gap = Optional.empty();
        terms.progress.note(
                "ALARM: "
                        + ErrorCode.WAL_GAP.id()
                        + ": the WAL of "
                        + terms.source.name()
                        + " from "
                        + had
                        + " to "
                        + first.start()
                        + " is lost: the server removed it before it was received, and replication"
                        + " slot "
                        + slot.slot()
                        + " did not keep it ("
                        + why.getMessage()
                        + "). Receiving goes on at "
                        + first.start()
                        + ". HINT: take a backup now: mainstay backup "
                        + terms.source.name()
                        + "; until then nothing after "
                        + had
                        + " can be recovered");
        return StreamPosition.startOf(first);
    }

    private TimelineHistory history(ReplicationConnection server, TimelineId timeline) {
        if (timeline.value() == 1) {
            return TimelineHistory.first(timeline);
        }
        HistoryFile file = server.timelineHistory(timeline);
        spool.keepHistory(timeline.historyFileName(), file.content());
        uploader.wake();
        return TimelineHistory.parse(timeline, new String(file.content(), StandardCharsets.UTF_8));
    }

    /// The last segment of the timeline that was left is never finished.
    private void follow(ReplicationConnection server, TimelineEnd end) {
        TimelineId timeline = end.nextTimeline();
        history(server, timeline);
        spool.leave(Optional.empty());
        positions.parted(end.switchLsn());
        WalSegment first =
                WalSegment.containing(timeline, end.switchLsn(), spool.segmentSizeBytes());
        next =
                Optional.of(
                        StreamPosition.startOf(ResumePoint.afterFinished(spool.finished(), first)));
        uploader.wake();
        terms.progress.note(
                "the server went on to timeline " + timeline + " at " + end.switchLsn());
    }

    private void advanceSlot() {
        Lsn stored = positions.stored();
        if (stored.isNone()) {
            return;
        }
        try {
            if (!slot.advance(stored)) {
                tellSlotLostMeanwhile(slot.ensure(), stored);
            }
        } catch (MainstayException serverAway) {
            // The server keeps more than it needs to until the next time; nothing is lost.
            terms.progress.note(
                    "WARNING: "
                            + serverAway.code().id()
                            + ": the slot was not advanced, so the server keeps more than it needs"
                            + " to until the next time: "
                            + serverAway.getMessage());
        }
    }

    private void tellSlotLostMeanwhile(SlotKeeper.Kept made, Lsn stored) {
        terms.progress.note(
                "ALARM: "
                        + ErrorCode.WAL_SLOT_LOST.id()
                        + ": replication slot "
                        + slot.slot()
                        + (made.state() == SlotKeeper.State.MADE
                                ? " was dropped"
                                : " was invalidated by the server")
                        + " while WAL was stored up to "
                        + stored
                        + "; it was made anew at "
                        + made.position()
                        + " and nothing is missing. HINT: raise max_slot_wal_keep_size if the"
                        + " repository may be away longer, and see who drops slots");
    }

    /// What was received is stored, as far as some seconds allow.
    @Override
    public void close() {
        spool.abandon();
        if (stop.isRaised()) {
            terms.progress.note(
                    "stopping; all that was received is synced, and stored as far as "
                            + SpoolUploader.USUAL_BUDGET.toSeconds()
                            + " s allow");
        }
        uploader.close(SpoolUploader.USUAL_BUDGET);
        terms.observer.accept(positions.status(spool.waitingBytes(positions.stored())));
        slot.close();
        tellWaiting();
        uploader.check();
    }

    private void tellWaiting() {
        List<WalSegment> waiting = spool.finished();
        if (waiting.isEmpty() && !positions.stored().isBefore(positions.spooled())) {
            return;
        }
        terms.progress.note(
                "WARNING: "
                        + ByteSize.of(spool.waitingBytes(positions.stored()))
                        + " of WAL, up to "
                        + positions.spooled()
                        + ", are synced in the spool "
                        + spool.directory()
                        + " but not stored in the repository"
                        + (waiting.isEmpty() ? "" : ": " + waiting.size() + " segments")
                        + ". HINT: keep the spool; the next 'mainstay wal receive "
                        + terms.source.name()
                        + "' stores it");
    }
}
