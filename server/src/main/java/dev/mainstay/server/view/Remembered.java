package dev.mainstay.server.view;

import dev.mainstay.base.MainstayException;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;

/// What takes long to read, remembered. What is fresh is answered at once; what is not quite is
/// answered at once and read again meanwhile; for what is too old to be told whoever asks waits, and
/// hears why if it cannot be read. One reader at a time for each key.
final class Remembered<K, V> {
    private final Function<K, V> reading;
    private final Duration fresh;
    private final Duration bearable;
    private final InstantSource clock;
    private final Executor readers;
    private final Map<K, Read<V>> known = new ConcurrentHashMap<>();
    private final Map<K, CompletableFuture<Read<V>>> running = new ConcurrentHashMap<>();

    /// @param at when reading it began
    record Read<V>(V value, Instant at) {}

    /// @param readers runs what reads
    Remembered(
            Function<K, V> reading,
            Duration fresh,
            Duration bearable,
            InstantSource clock,
            Executor readers) {
        this.reading = reading;
        this.fresh = fresh;
        this.bearable = bearable;
        this.clock = clock;
        this.readers = readers;
    }

    /// @throws MainstayException why it cannot be read
    V get(K key) {
        return read(key).value;
    }

    Read<V> read(K key) {
        Read<V> last = known.get(key);
        if (last == null || age(last).compareTo(bearable) > 0) {
            return await(again(key));
        }
        if (age(last).compareTo(fresh) > 0) {
            CompletableFuture<Read<V>> _ = again(key); // whoever asks later has it
        }
        return last;
    }

    /// Begins to read what would have to be waited for, so that several are read at once.
    void begin(K key) {
        Read<V> last = known.get(key);
        if (last == null || age(last).compareTo(bearable) > 0) {
            CompletableFuture<Read<V>> _ = again(key);
        }
    }

    private Duration age(Read<V> last) {
        return Duration.between(last.at, clock.instant()).abs();
    }

    /// Somebody else has read it.
    ///
    /// @param at when reading it began
    void learn(K key, V value, Instant at) {
        known.merge(
                key,
                new Read<>(value, at),
                (last, learnt) -> last.at.isAfter(learnt.at) ? last : learnt);
    }

    /// What was read last, however old.
    Optional<V> last(K key) {
        return Optional.ofNullable(known.get(key)).map(Read::value);
    }

    /// Whoever asks next waits for what is so now.
    void forget(K key) {
        running.remove(key);
        known.remove(key);
    }

    private CompletableFuture<Read<V>> again(K key) {
        return running.computeIfAbsent(
                key,
                _ -> {
                    CompletableFuture<Read<V>> future = new CompletableFuture<>();
                    readers.execute(() -> read(key, future));
                    return future;
                });
    }

    private void read(K key, CompletableFuture<Read<V>> future) {
        try {
            Instant at = clock.instant();
            Read<V> read = new Read<>(reading.apply(key), at);
            if (running.remove(key, future)) { // or it was forgotten meanwhile
                known.put(key, read);
            }
            future.complete(read);
        } catch (RuntimeException | Error failed) {
            running.remove(key, future);
            future.completeExceptionally(failed);
        }
    }

    private static <V> Read<V> await(CompletableFuture<Read<V>> future) {
        try {
            return future.join();
        } catch (CompletionException wrapped) {
            if (wrapped.getCause() instanceof RuntimeException failed) {
                throw failed;
            }
            throw wrapped;
        }
    }
}
