package dev.mainstay.postgres.protocol;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;

import java.nio.ByteBuffer;
import java.time.Instant;

/// What a [WalStream] brings.
public sealed interface WalMessage {
    /// A piece of WAL that follows the piece before without a gap.
    ///
    /// @param data a direct buffer of the bytes from `start`, valid until the next read; not to be
    ///   written to
    /// @param serverEnd the end of WAL on the server when this was sent
    record WalData(Lsn start, Lsn serverEnd, Instant sendTime, ByteBuffer data)
            implements WalMessage {
        public Lsn end() {
            return start.plus(data.remaining());
        }
    }

    /// @param replyRequested answer at once with [WalStream#sendStatus], or be disconnected
    record KeepAlive(Lsn serverEnd, Instant sendTime, boolean replyRequested)
            implements WalMessage {}

    /// The server left this timeline: everything up to `switchLsn` was sent, and what follows is on
    /// the next one. The stream is over and its connection free for the next command.
    record TimelineEnd(TimelineId nextTimeline, Lsn switchLsn) implements WalMessage {}

    /// Nothing came in the given time.
    record Idle() implements WalMessage {}
}
