package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SourceId;
import dev.mainstay.repository.format.KeyScope;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A source's keys. Who keeps it open long, such as a receiver of WAL, looks every few minutes
/// whether an epoch was added, and whether the source still has keys, before it seals more: what is
/// sealed with a key that was destroyed is lost. Thread-safe.
final class SourceKeyring implements Keyring {
    /// So long after a rotation others may go on with the key before it.
    static final Duration LOOK_EVERY = Duration.ofMinutes(5);

    private final Repository repository;
    private final SourceId id;
    private final String name;
    private final Map<Integer, byte[]> keys = new HashMap<>();
    private final Set<Integer> closed = new HashSet<>();
    private final Set<Integer> absent = new HashSet<>();
    private Instant looked;

    SourceKeyring(Repository repository, SourceKeys.Found found) {
        this.repository = repository;
        this.id = found.id();
        this.name = found.name();
        keys.putAll(found.keys());
        closed.addAll(found.closed());
        looked = now();
    }

    private Instant now() {
        return repository.ground().clock().instant();
    }

    @Override
    public boolean seals() {
        return repository.encrypted();
    }

    @Override
    public synchronized KeyScope newest() {
        if (!seals()) {
            return KeyScope.none();
        }
        if (!now().isBefore(looked.plus(LOOK_EVERY))) {
            look();
        }
        int newest = keys.keySet().stream().max(Integer::compare).orElseThrow();
        if (closed.stream().anyMatch(epoch -> epoch > newest)) {
            throw new MainstayException(
                    ErrorCode.KEY_SUPERSEDED,
                    repository.credential()
                            + " does not open the newest key of source '"
                            + name
                            + "', so nothing is written with an older one");
        }
        return KeyScope.source(id, newest);
    }

    @Override
    public synchronized Optional<byte[]> key(KeyScope scope) {
        if (scope.source().filter(id::equals).isEmpty()) {
            return Optional.empty();
        }
        int epoch = scope.epoch();
        if (seals() && !keys.containsKey(epoch) && !closed.contains(epoch) && absent.add(epoch)) {
            look();
        }
        return Optional.ofNullable(keys.get(epoch));
    }

    /// The key of epoch 1, from which names of contents are derived.
    synchronized byte[] first() {
        byte[] first = keys.get(1);
        if (first == null) {
            throw new MainstayException(
                    ErrorCode.KEY_OBJECT_DAMAGED,
                    "the first key of source " + name + " is missing");
        }
        return first;
    }

    private void look() {
        SourceKeys.Found found = SourceKeys.of(repository, id);
        keys.putAll(found.keys());
        closed.clear();
        closed.addAll(found.closed());
        if (!absent.isEmpty() && !now().isBefore(looked.plus(LOOK_EVERY))) {
            absent.clear();
        }
        absent.removeAll(keys.keySet());
        looked = now();
    }
}
