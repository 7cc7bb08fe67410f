package dev.mainstay.server.audit;

import dev.mainstay.repository.Ground;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What was refused, in the audit trail. So that nobody can fill it by asking again and again, of
/// what one address is refused in a minute the first is an entry, and all others together are one;
/// and of all addresses beyond the first ones in a minute, too.
public final class Refusals {
    private static final Logger LOG = LoggerFactory.getLogger(Refusals.class);
    private static final int MOST = 20;
    private static final int MINUTE = 60;

    private final AuditTrail trail;
    private final Ground ground;
    private final Map<Key, Count> counts = new HashMap<>();
    private long minute;

    public Refusals(AuditTrail trail, Ground ground) {
        this.trail = trail;
        this.ground = ground;
    }

    private record Key(String who, String address, String outcome) {}

    /// @param action that was refused last
    private record Count(String action, long more) {}

    /// Puts a refusal on record. What cannot be written is logged: it was refused all the same.
    public void note(String who, String address, String action, String outcome) {
        flushEarlier();
        Optional<Key> first = count(new Key(who, address, outcome), action);
        first.ifPresent(key -> write(key, action, 1));
    }

    /// @return under whom it is an entry of its own
    private synchronized Optional<Key> count(Key key, String action) {
        Key counted =
                counts.containsKey(key) || counts.size() < MOST
                        ? key
                        : new Key("", "many addresses", key.outcome);
        Count before = counts.get(counted);
        counts.put(counted, new Count(action, before == null ? 0 : before.more + 1));
        return before == null ? Optional.of(counted) : Optional.empty();
    }

    private void flushEarlier() {
        long now = ground.clock().instant().getEpochSecond() / MINUTE;
        Map<Key, Count> over;
        synchronized (this) {
            if (now == minute) {
                return;
            }
            minute = now;
            over = taken();
        }
        write(over);
    }

    /// Writes what was counted so far.
    void flush() {
        write(taken());
    }

    private synchronized Map<Key, Count> taken() {
        Map<Key, Count> taken = Map.copyOf(counts);
        counts.clear();
        return taken;
    }

    private void write(Map<Key, Count> taken) {
        taken.forEach(
                (key, count) -> {
                    if (count.more > 0) {
                        write(key, count.action, count.more);
                    }
                });
    }

    private void write(Key key, String action, long times) {
        try {
            trail.append(key.who, key.address, action, "", key.outcome, times);
        } catch (RuntimeException failed) {
            LOG.error(
                    "a refusal ({} {}) is not on record: {}",
                    key.address,
                    key.outcome,
                    failed.getMessage());
        }
    }
}
