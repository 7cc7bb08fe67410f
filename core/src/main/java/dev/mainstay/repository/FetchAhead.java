package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.function.Function;
import java.util.function.Supplier;

/// Answers in the order in which they are wanted, asked for before: in a store far away it is the
/// wait for an answer that costs, and several can be waited for at once.
///
/// A failure comes where the answer would have come, and nowhere else. When [#close] has returned,
/// and what was taken is closed, nothing is under way any more. Thread-safe; [#next] is for one
/// thread.
///
/// @param <T> an answer
public final class FetchAhead<T> implements AutoCloseable {
    /// As many requests at once as are worth it for small objects.
    private static final int SMALL = 16;

    /// What is to be asked for.
    ///
    /// @param bytes about how much memory the answer takes
    public record Fetch<T>(long bytes, Supplier<T> call) {}

    /// A fetch that was begun.
    public final class Begun implements Runnable, AutoCloseable {
        private final long bytes;
        private final FutureTask<T> task;
        private final CountDownLatch ended = new CountDownLatch(1);

        private Begun(Fetch<T> fetch) {
            this.bytes = fetch.bytes;
            this.task = new FutureTask<>(fetch.call::get);
        }

        @Override
        public void run() {
            try {
                task.run();
            } finally {
                ended.countDown();
            }
        }

        /// Waits for the answer.
        ///
        /// @throws MainstayException INTERRUPTED, or what the fetch threw
        public T answer() {
            try {
                return task.get();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
            } catch (ExecutionException failed) {
                switch (failed.getCause()) {
                    case RuntimeException known -> throw known;
                    case Error error -> throw error;
                    case null, default -> throw new IllegalStateException(failed);
                }
            }
        }

        /// Lets go of the answer, whose memory is free for others then; if it has not come yet,
        /// nobody waits for it any more.
        @Override
        public void close() {
            end();
            release(bytes);
        }

        private void end() {
            task.cancel(true);
            boolean interrupted = false;
            while (ended.getCount() > 0) {
                try {
                    ended.await();
                } catch (InterruptedException again) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private final Executor beside;
    private final int most;
    private final long mostBytes;
    private final Iterator<Fetch<T>> wanted;
    private final Deque<Begun> begun = new ArrayDeque<>();

    /// Of answers that were begun or are held by who took them.
    private long bytes;

    /// The next one, for which there was no room.
    private Optional<Fetch<T>> waiting = Optional.empty();

    /// What [#next] gave last.
    private Optional<Begun> last = Optional.empty();

    private boolean closed;

    /// @param beside runs the fetches
    /// @param most that are begun and not taken
    /// @param mostBytes that answers take, with those that were taken; beyond that nothing is begun
    ///   ahead
    /// @param wanted asked in its order, no earlier than needed, by one thread at a time
    public FetchAhead(Executor beside, int most, long mostBytes, Iterator<Fetch<T>> wanted) {
        this.beside = beside;
        this.most = most;
        this.mostBytes = mostBytes;
        this.wanted = wanted;
        begin();
    }

    /// Small objects, each fetched in the same way.
    public static <K, T> FetchAhead<T> small(
            Executor beside, Collection<K> wanted, Function<K, T> fetch) {
        return new FetchAhead<>(
                beside,
                SMALL,
                Long.MAX_VALUE,
                wanted.stream().map(each -> new Fetch<>(0, () -> fetch.apply(each))).iterator());
    }

    private synchronized void begin() {
        while (!closed && begun.size() < most && isWanted()) {
            Fetch<T> fetch = waiting.orElseGet(wanted::next);
            if (bytes + fetch.bytes > mostBytes) {
                waiting = Optional.of(fetch);
                return;
            }
            begin(fetch);
        }
    }

    private boolean isWanted() {
        return waiting.isPresent() || wanted.hasNext();
    }

    private void begin(Fetch<T> fetch) {
        Begun one = new Begun(fetch);
        beside.execute(one);
        waiting = Optional.empty();
        begun.add(one);
        bytes += fetch.bytes;
    }

    private synchronized void release(long freed) {
        bytes -= freed;
        begin();
    }

    /// What is wanted next, whether its answer has come or not; empty at the end. Whoever takes it
    /// closes it.
    public synchronized Optional<Begun> take() {
        if (begun.isEmpty() && !closed && isWanted()) {
            begin(waiting.orElseGet(wanted::next)); // somebody needs it now
        }
        Optional<Begun> first = Optional.ofNullable(begun.poll());
        begin();
        return first;
    }

    /// The next answer, or the failure that came in its place. The one before is let go of.
    ///
    /// @throws MainstayException INTERRUPTED, or what the fetch threw
    public T next() {
        last.ifPresent(Begun::close);
        last = take();
        return last.orElseThrow(NoSuchElementException::new).answer();
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        begun.forEach(one -> one.task.cancel(true));
        begun.forEach(Begun::end);
        begun.clear();
        last.ifPresent(Begun::end);
    }
}
