package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.HistoryFile;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.ReplicationOptions;
import dev.mainstay.postgres.protocol.SystemIdentity;
import dev.mainstay.postgres.protocol.WalMessage;
import dev.mainstay.postgres.protocol.WalStream;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.repository.format.Json;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Streams a server's WAL into a synced local spool and from there into the repository, until it is
/// interrupted.
///
/// What is reported to the server is *spooled*, so that this receiver can be named in
/// `synchronous_standby_names` as `mainstay_SOURCE`; what the slot lets the server remove is
/// *stored*, so that losing the spool's disk loses nothing the server could not send again. A new
/// process begins at the start of the segment that the slot's position lies in: what is there
/// already is compared, not trusted.
public final class WalReceiver {
    private static final Duration SYNC_AT_LEAST = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final int ALARM_PERCENT = 70;

    /// Failures that may be over when it is tried again.
    private static final Set<ErrorCode> PASSING =
            EnumSet.of(
                    ErrorCode.SERVER_UNREACHABLE,
                    ErrorCode.SERVER_PROTOCOL,
                    ErrorCode.SERVER_QUERY_FAILED,
                    ErrorCode.STORE_UNAVAILABLE,
                    ErrorCode.STORE_FULL,
                    ErrorCode.STORE_REFUSED);

    private final ProtectedSource source;
    private final ConnectionSpec connection;
    private final ReceiverSettings settings;
    private final int compressionLevel;
    private final Progress progress;
    private final InstantSource clock;
    private final Duration firstPause;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Consumer<ReceiverStatus> observer;

    /// @param firstPause before trying again after a failure; longer after each further one
    /// @param observer is told where the receiver stands, at least every status interval
    public WalReceiver(
            ProtectedSource source,
            ConnectionSpec connection,
            ReceiverSettings settings,
            int compressionLevel,
            Progress progress,
            Duration firstPause,
            Consumer<ReceiverStatus> observer) {
        this.source = source;
        this.connection = connection.withApplicationName(settings.slot());
        this.settings = settings;
        this.compressionLevel = compressionLevel;
        this.progress = progress;
        this.clock = source.repository().ground().clock();
        this.firstPause = firstPause;
        this.observer = observer;
    }

    /// Receives until the thread is interrupted; what was received is stored before it returns.
    ///
    /// @throws MainstayException where going on would harm: another system, other WAL than before,
    ///   an unusable spool
    public void run() {
        // On a thread of its own: an interrupt would close the spool's file under a write.
        FutureTask<Boolean> work =
                new FutureTask<>(
                        () -> {
                            try (Running running = new Running(identify())) {
                                running.run();
                            }
                            return true;
                        });
        Thread worker = Thread.ofPlatform().name("wal-receiver").start(work);
        boolean interrupted = false;
        while (worker.isAlive()) {
            try {
                worker.join();
            } catch (InterruptedException _) {
                interrupted = true;
                stop.countDown();
            }
        }
        try {
            work.get();
        } catch (InterruptedException ended) {
            throw new IllegalStateException(ended);
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case RuntimeException known -> throw known;
                case Error error -> throw error;
                case null, default -> throw new IllegalStateException(failed);
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private boolean isStopping() {
        return stop.getCount() == 0;
    }

    /// Waits before another attempt; less if the receiver is stopped.
    private void pause(int attempt) {
        Duration wait = firstPause.multipliedBy(1L << Math.min(attempt - 1, 8));
        Duration bounded = wait.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait;
        try {
            if (stop.await(bounded.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException ended) {
            throw new IllegalStateException("nobody interrupts the receiver", ended);
        }
    }

    private SystemIdentity identify() {
        try (ReplicationConnection server = open()) {
            return server.identifySystem();
        }
    }

    private ReplicationConnection open() {
        return ReplicationConnection.open(connection, ReplicationOptions.of(clock));
    }

    /// Where to go on.
    private record Position(TimelineId timeline, Lsn lsn) {}

    private final class Running implements AutoCloseable {
        private final SystemId system;
        private final int segmentSize;
        private final Spool spool;
        private final WalArchive archive;
        private final SlotKeeper slot;
        private final Positions positions;
        private final SpoolUploader uploader;
        private boolean alarmed;
        private Optional<Position> next = Optional.empty();

        Running(SystemIdentity identity) {
            this.system = identity.systemId();
            refuseOtherSystem();
            this.segmentSize = segmentSize();
            this.archive = source.wal(system, compressionLevel);
            this.positions = new Positions(clock, identity.timeline());
            this.slot = new SlotKeeper(connection, settings.slot());
            this.spool = Spool.open(settings.spool().resolve(system.toString()), segmentSize);
            storeWhatWasLeft();
            this.uploader =
                    new SpoolUploader(
                            spool,
                            archive,
                            positions,
                            settings.shipInterval(),
                            progress,
                            this::advanceSlot);
        }

        /// A source follows one cluster; another system identifier behind the same url is a mistake
        /// until somebody says otherwise.
        private void refuseOtherSystem() {
            var chain = source.records();
            chain.damaged().forEach(each -> progress.note("WARNING: " + each));
            if (!chain.damagedBackups().isEmpty()) {
                return; // one of them may be the newest, and of this very system
            }
            chain.backups().reversed().stream()
                    .findFirst()
                    .map(newest -> newest.details().string("systemId"))
                    .filter(known -> !known.equals(system.toString()))
                    .ifPresent(
                            known -> {
                                throw new MainstayException(
                                        ErrorCode.WAL_CONFLICT,
                                        "the server is system "
                                                + system
                                                + ", but source "
                                                + source.name()
                                                + " was last backed up from system "
                                                + known,
                                        "correct the url, or take a full backup of the new cluster"
                                                + " first",
                                        null);
                            });
        }

        private int segmentSize() {
            try (ReplicationConnection server = open()) {
                return (int)
                        dev.mainstay.base.ByteSize.parse(server.show("wal_segment_size")).bytes();
            }
        }

        /// An earlier process may have spooled what the server has lost since: it goes into the
        /// repository before anything else.
        private void storeWhatWasLeft() {
            for (WalSegment segment : spool.leftUnfinished()) {
                byte[] content = spool.readUnfinished(segment).orElseThrow();
                int valid = ValidWal.prefix(segment, content);
                if (valid > 0) {
                    archive.putPart(segment, 0, java.util.Arrays.copyOf(content, valid));
                }
            }
        }

        /// The last segment of a timeline that was left is never finished; what there is of it is
        /// stored as parts.
        private void storeEndOf(TimelineId timeline) {
            for (WalSegment segment : spool.leftUnfinished()) {
                if (segment.timeline().equals(timeline)) {
                    archive.putPart(segment, 0, spool.readUnfinished(segment).orElseThrow());
                    spool.removeUnfinished(segment);
                }
            }
        }

        private void advanceSlot() {
            Lsn stored = positions.stored();
            if (stored.isNone()) {
                return;
            }
            try {
                slot.advance(stored);
            } catch (MainstayException serverAway) {
                // The server keeps more than it needs to until the next time; nothing is lost.
                progress.note("the slot was not advanced: " + serverAway.getMessage());
            }
        }

        void run() {
            int attempt = 0;
            while (!isStopping()) {
                try {
                    uploader.check();
                    awaitSpace();
                    stream();
                    attempt = 0;
                } catch (MainstayException failed) {
                    attempt = recover(failed, attempt + 1);
                }
            }
        }

        private int recover(MainstayException failed, int attempt) {
            if (failed.code() == ErrorCode.WAL_SLOT_LOST || failed.code() == ErrorCode.WAL_GAP) {
                recordGap(failed);
                return 0;
            }
            if (!PASSING.contains(failed.code())) {
                throw failed;
            }
            progress.note(
                    "receiving was broken off ("
                            + failed.code().id()
                            + ": "
                            + failed.getMessage()
                            + "); trying again");
            spool.abandon();
            pause(attempt);
            return attempt;
        }

        /// The server has removed WAL that was not stored: the window ends, and a new one needs a
        /// backup.
        private void recordGap(MainstayException why) {
            Lsn had = positions.stored();
            Lsn from = slot.renew();
            positions.gap();
            next = Optional.empty();
            source.records()
                    .append(
                            "wal-gap",
                            Json.object()
                                    .put("system", system.toString())
                                    .put("storedUpTo", had.toString())
                                    .put("resumedAt", from.toString())
                                    .put("reason", String.valueOf(why.getMessage())));
            progress.note(
                    "ALARM: "
                            + why.code().id()
                            + ": "
                            + why.getMessage()
                            + ". WAL from "
                            + had
                            + " to "
                            + from
                            + " is missing: take a backup now");
        }

        private void awaitSpace() {
            long limit = settings.spoolLimit().bytes();
            boolean said = false;
            while (spool.bytes() >= limit && !isStopping()) {
                uploader.check();
                if (!said) {
                    said = true;
                    progress.note(
                            "ALARM: "
                                    + ErrorCode.WAL_SPOOL_LIMIT.id()
                                    + ": the spool is at its"
                                    + " limit of "
                                    + settings.spoolLimit()
                                    + "; receiving stops, the server keeps its WAL");
                }
                pause(1);
            }
        }

        private Position start(ReplicationConnection server) {
            Lsn kept = slot.ensure();
            positions.storedBefore(kept);
            SystemIdentity identity = server.identifySystem();
            if (!identity.systemId().equals(system)) {
                throw new MainstayException(
                        ErrorCode.WAL_CONFLICT,
                        "the server became system " + identity.systemId() + ", it was " + system);
            }
            if (next.isPresent()) {
                return next.get();
            }
            TimelineHistory history = history(server, identity.timeline());
            TimelineId timeline = history.timelineAt(kept);
            WalSegment first = WalSegment.containing(timeline, kept, segmentSize);
            for (WalSegment finished : spool.finished()) {
                if (finished.equals(first)) {
                    first = first.next();
                }
            }
            return new Position(timeline, first.start());
        }

        private TimelineHistory history(ReplicationConnection server, TimelineId timeline) {
            if (timeline.value() == 1) {
                return TimelineHistory.first(timeline);
            }
            HistoryFile file = server.timelineHistory(timeline);
            archive.putFile(file.name(), file.content());
            return TimelineHistory.parse(
                    timeline, new String(file.content(), StandardCharsets.UTF_8));
        }

        private void stream() {
            try (ReplicationConnection server = open()) {
                Position from = start(server);
                next = Optional.of(segmentStart(from));
                Position begin = next.get();
                positions.begin(begin.timeline, begin.lsn);
                try (WalStream stream =
                        server.startPhysicalReplication(
                                Optional.empty(), begin.lsn, begin.timeline)) {
                    WalMessage.TimelineEnd end = receive(stream, begin);
                    if (end == null) {
                        return;
                    }
                    spool.sync().ifPresent(positions::spooled);
                    uploader.wake();
                    follow(server, begin.timeline, end);
                }
            }
        }

        private Position segmentStart(Position from) {
            WalSegment segment = WalSegment.containing(from.timeline, from.lsn, segmentSize);
            return new Position(from.timeline, segment.start());
        }

        private void follow(
                ReplicationConnection server, TimelineId left, WalMessage.TimelineEnd end) {
            spool.abandon();
            storeEndOf(left);
            history(server, end.nextTimeline());
            next = Optional.of(new Position(end.nextTimeline(), end.switchLsn()));
            progress.note(
                    "the server went on to timeline "
                            + end.nextTimeline()
                            + " at "
                            + end.switchLsn());
        }

        /// @return the end of the timeline, or null when the stream was left: stopped, or the spool
        ///   is full
        private WalMessage.@org.jspecify.annotations.Nullable TimelineEnd receive(
                WalStream stream, Position begin) {
            TimelineId timeline = begin.timeline;
            boolean dirty = false;
            long lastSync = System.nanoTime();
            long lastStatus = 0;
            while (true) {
                if (isStopping()) {
                    syncAndReport(stream, begin);
                    stream.stop();
                    return null;
                }
                WalMessage message =
                        stream.read(
                                dirty ? Duration.ZERO : settings.statusInterval().dividedBy(10));
                boolean reply = false;
                switch (message) {
                    case WalMessage.WalData data -> {
                        positions.server(data.serverEnd());
                        append(timeline, data);
                        next = Optional.of(new Position(timeline, data.end()));
                        dirty = true;
                    }
                    case WalMessage.KeepAlive alive -> {
                        positions.server(alive.serverEnd());
                        reply = alive.replyRequested();
                    }
                    case WalMessage.TimelineEnd end -> {
                        return end;
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
                if (now - lastStatus > settings.statusInterval().toNanos()) {
                    lastStatus = now;
                    report(stream);
                    observer.accept(positions.status(spool.bytes()));
                    uploader.check();
                    if (isFull()) {
                        stream.stop();
                        return null;
                    }
                }
            }
        }

        private void append(TimelineId timeline, WalMessage.WalData data) {
            Lsn at = data.start();
            ByteBuffer bytes = data.data().duplicate();
            int end = bytes.limit();
            while (bytes.position() < end) {
                WalSegment segment = WalSegment.containing(timeline, at, segmentSize);
                int offset = (int) at.minus(segment.start());
                int piece = Math.min(end - bytes.position(), segmentSize - offset);
                bytes.limit(bytes.position() + piece);
                spool.append(segment, offset, bytes);
                bytes.position(bytes.limit()).limit(end);
                at = at.plus(piece);
                if (offset + piece == segmentSize) {
                    spool.sync().ifPresent(positions::spooled);
                    uploader.wake();
                }
            }
        }

        private void syncAndReport(WalStream stream, Position begin) {
            spool.sync().filter(end -> end.isAfter(begin.lsn)).ifPresent(positions::spooled);
            report(stream);
        }

        private void report(WalStream stream) {
            Lsn spooled = positions.spooled();
            stream.sendStatus(spooled, spooled, Lsn.NONE, false);
        }

        private boolean isFull() {
            long waiting = spool.bytes();
            long limit = settings.spoolLimit().bytes();
            boolean near = waiting * 100 > limit * ALARM_PERCENT;
            if (near && !alarmed) {
                progress.note(
                        "ALARM: the spool holds "
                                + dev.mainstay.base.ByteSize.of(waiting)
                                + " of at most "
                                + settings.spoolLimit()
                                + "; receiving will stop there");
            }
            alarmed = near;
            return waiting >= limit;
        }

        @Override
        public void close() {
            spool.close();
            uploader.close();
            observer.accept(positions.status(spool.bytes()));
            slot.close();
            uploader.check();
        }
    }
}
