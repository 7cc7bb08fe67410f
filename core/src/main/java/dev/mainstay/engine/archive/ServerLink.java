package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.ReplicationConnection;
import dev.mainstay.postgres.protocol.ReplicationOptions;

import org.jspecify.annotations.Nullable;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Opens the replication connections of a receiver, one at a time, and sees that no other receiver
/// streams for the same source.
final class ServerLink {
    /// The server needs so long at most to notice that a process is gone that was killed on a host
    /// that lives; where the host or the network died it takes `wal_sender_timeout`.
    private static final Duration OTHER_MAY_END = Duration.ofSeconds(5);

    private static final Duration LOOK = Duration.ofMillis(100);

    private final ConnectionSpec spec;
    private final InstantSource clock;
    private final StopSignal stop;
    private final Set<Integer> own = ConcurrentHashMap.newKeySet();
    private volatile @Nullable ReplicationConnection current;

    /// @param spec with the name under which the receiver is seen on the server
    ServerLink(ConnectionSpec spec, InstantSource clock, StopSignal stop) {
        this.spec = spec;
        this.clock = clock;
        this.stop = stop;
    }

    ReplicationConnection open() {
        ReplicationConnection opened =
                ReplicationConnection.open(spec, ReplicationOptions.of(clock));
        own.add(opened.serverProcess());
        current = opened;
        return opened;
    }

    /// Another receiver of the same source would move the same slot.
    ///
    /// @throws MainstayException WAL_RECEIVER_RUNS if there is one, and does not end within seconds
    void refuseOthers(SlotKeeper slot) {
        long deadline = System.nanoTime() + OTHER_MAY_END.toNanos();
        Optional<String> other = slot.otherReceiver(own, Optional.empty());
        while (other.isPresent() && !stop.isRaised()) {
            if (System.nanoTime() - deadline > 0) {
                throw refused(slot, other.get());
            }
            stop.pause(LOOK);
            other = slot.otherReceiver(own, Optional.empty());
        }
    }

    /// Of two that began at the same moment the later one ends.
    void refuseEarlier(SlotKeeper slot, ReplicationConnection serving) {
        slot.otherReceiver(own, Optional.of(serving.serverProcess()))
                .ifPresent(
                        other -> {
                            throw refused(slot, other);
                        });
    }

    private static MainstayException refused(SlotKeeper slot, String other) {
        return new MainstayException(
                ErrorCode.WAL_RECEIVER_RUNS,
                "another receiver streams as " + slot.slot() + ": " + other);
    }

    /// Ends a call that another thread waits in.
    void hangUp() {
        ReplicationConnection open = current;
        if (open != null) {
            open.close();
        }
    }
}
