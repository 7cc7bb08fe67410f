package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// WAL as it comes from a server. One thread reads; any thread may send status or close the
/// connection.
///
/// A server that is silent for half the liveness of the options is asked for a sign of life, with
/// the positions last sent; at the whole of it the read fails with SERVER_UNREACHABLE. Only time
/// spent waiting in [#read] counts.
public final class WalStream implements AutoCloseable {
    private static final long EPOCH_SECONDS = 946_684_800L; // 2000-01-01, as PostgreSQL counts
    private static final Lsn[] NOTHING = {Lsn.NONE, Lsn.NONE, Lsn.NONE};

    private final Session session;
    private Lsn expected;
    private Optional<WalMessage.TimelineEnd> pendingEnd;
    private volatile Lsn[] lastStatus = NOTHING;
    private boolean asked;
    private boolean over;

    WalStream(Session session, Lsn start, Optional<WalMessage.TimelineEnd> pendingEnd) {
        this.session = session;
        this.expected = start;
        this.pendingEnd = pendingEnd;
    }

    /// The next message, or [WalMessage.Idle] if none is complete within the timeout. Buffers of
    /// the message before are overwritten.
    ///
    /// @throws MainstayException SERVER_UNREACHABLE if the server shuts down or is silent for too
    ///   long; WAL_GAP if it has removed the WAL that comes next
    public WalMessage read(Duration timeout) {
        if (over) {
            throw new IllegalStateException("the stream is over");
        }
        if (pendingEnd.isPresent()) {
            over = true;
            return pendingEnd.get();
        }
        try {
            return receive(Deadline.after(timeout));
        } catch (IOException failure) {
            throw broken(failure);
        } catch (MainstayException failure) {
            over = true;
            throw failure;
        }
    }

    private WalMessage receive(Deadline deadline) throws IOException {
        while (true) {
            Duration liveness = session.options.liveness();
            Duration patience = asked ? liveness : liveness.dividedBy(2);
            Duration left = patience.minus(session.inbox.silence());
            if (session.next(deadline.orAfter(left.isNegative() ? Duration.ZERO : left))) {
                asked = false;
                Optional<WalMessage> message = take();
                if (message.isPresent()) {
                    return message.get();
                }
            } else if (session.inbox.silence().compareTo(liveness) >= 0) {
                throw new SocketTimeoutException(
                        "no sign of life in " + liveness.toSeconds() + " s");
            } else if (!asked && session.inbox.silence().compareTo(patience) >= 0) {
                asked = true;
                Lsn[] last = lastStatus;
                send(last[0], last[1], last[2], true);
            } else if (deadline.passed()) {
                return new WalMessage.Idle();
            }
        }
    }

    private Optional<WalMessage> take() throws IOException {
        if (session.inbox.type() == 'd') {
            return Optional.of(copyData(session.inbox.body()));
        }
        if (session.tookAside()) {
            return Optional.empty();
        }
        return switch (session.inbox.type()) {
            case 'c' -> {
                session.outbox.send('c', new byte[0]);
                WalMessage.TimelineEnd end = readTimelineEnd(session);
                over = true;
                yield Optional.of(end);
            }
            case 'E' -> throw walGap(session.failed());
            case 'C' -> throw new EOFException("the server shuts down");
            default -> throw session.unexpected("the stream");
        };
    }

    private WalMessage copyData(ByteBuffer body) {
        byte kind = body.hasRemaining() ? body.get() : 0;
        if (kind == 'w' && body.remaining() >= 24) {
            Lsn start = Lsn.of(body.getLong());
            Lsn serverEnd = Lsn.of(body.getLong());
            Instant sendTime = time(body.getLong());
            if (!start.equals(expected)) {
                session.close();
                throw Failures.protocol("WAL from " + start + " where " + expected + " follows");
            }
            ByteBuffer data = body.slice();
            expected = start.plus(data.remaining());
            return new WalMessage.WalData(start, serverEnd, sendTime, data);
        }
        if (kind == 'k' && body.remaining() == 17) {
            return new WalMessage.KeepAlive(
                    Lsn.of(body.getLong()), time(body.getLong()), body.get() != 0);
        }
        session.close();
        throw Failures.protocol("a replication message of kind " + kind);
    }

    private static Instant time(long micros) {
        return Instant.ofEpochSecond(
                EPOCH_SECONDS + Math.floorDiv(micros, 1_000_000L),
                Math.floorMod(micros, 1_000_000L) * 1000L);
    }

    /// Tells the server how far we are. With a slot, `flush` frees WAL on the server; for a
    /// synchronous standby it is what commits wait for.
    public void sendStatus(Lsn write, Lsn flush, Lsn apply, boolean replyRequested) {
        lastStatus = new Lsn[] {write, flush, apply};
        try {
            send(write, flush, apply, replyRequested);
        } catch (IOException failure) {
            session.close();
            throw Failures.of(failure, session.host.toString());
        }
    }

    private void send(Lsn write, Lsn flush, Lsn apply, boolean replyRequested) throws IOException {
        Instant now = session.options.clock().instant();
        long micros = (now.getEpochSecond() - EPOCH_SECONDS) * 1_000_000L + now.getNano() / 1000;
        ByteBuffer status = ByteBuffer.allocate(34).put((byte) 'r');
        status.putLong(write.value()).putLong(flush.value()).putLong(apply.value());
        status.putLong(micros).put((byte) (replyRequested ? 1 : 0));
        session.outbox.send('d', status.array());
    }

    /// Ends the stream in good order; what is still under way is thrown away. The connection is
    /// free for the next command. Does nothing on a stream that is over.
    public void stop() {
        if (over) {
            return;
        }
        over = true;
        if (pendingEnd.isPresent()) {
            return;
        }
        try {
            session.outbox.send('c', new byte[0]);
            while (true) {
                switch (session.await()) {
                    case 'Z' -> {
                        return;
                    }
                    case 'E' -> throw session.failed();
                    case 'd', 'c', 'C', 'T', 'D' -> {
                        // on the way when we said stop
                    }
                    default -> throw session.unexpected("the end of the stream");
                }
            }
        } catch (IOException failure) {
            throw broken(failure);
        }
    }

    /// As [#stop], but where that fails the connection is closed and nothing is thrown.
    @Override
    public void close() {
        try {
            stop();
        } catch (MainstayException _) {
            session.close();
        }
    }

    private MainstayException broken(IOException failure) {
        over = true;
        session.close();
        return Failures.of(failure, session.host.toString());
    }

    /// Reads what follows the end of the copy, up to ReadyForQuery.
    static WalMessage.TimelineEnd readTimelineEnd(Session session) throws IOException {
        Optional<WalMessage.TimelineEnd> end = Optional.empty();
        while (true) {
            switch (session.await()) {
                case 'D' -> end = Optional.of(timelineEnd(session));
                case 'T', 'C', 'd' -> {
                    // nothing new
                }
                case 'E' -> throw session.failed();
                case 'Z' -> {
                    return end.orElseThrow(
                            () -> Failures.protocol("a timeline ends and none follows"));
                }
                default -> throw session.unexpected("the end of a timeline");
            }
        }
    }

    private static WalMessage.TimelineEnd timelineEnd(Session session) {
        List<Optional<byte[]>> row = ReplicationConnection.row(session.inbox.body());
        try {
            if (row.size() >= 2) {
                String next = ReplicationConnection.text(row, 0).orElse("");
                String start = ReplicationConnection.text(row, 1).orElse("");
                return new WalMessage.TimelineEnd(
                        TimelineId.of(Integer.parseUnsignedInt(next)), Lsn.parse(start));
            }
        } catch (IllegalArgumentException _) {
            // said below
        }
        session.close();
        throw Failures.protocol("the end of a timeline does not name the next");
    }

    /// "Requested WAL segment has already been removed" comes as undefined_file.
    static MainstayException walGap(ServerException failure) {
        return failure.sqlState().equals("58P01")
                ? new MainstayException(
                        ErrorCode.WAL_GAP, String.valueOf(failure.getMessage()), failure)
                : failure;
    }
}
