package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.jspecify.annotations.Nullable;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Hands pages of relation files from the one thread that reads a stream to the workers that store
/// them. Pages travel in runs, in a fixed number of buffers: who reads waits while all are on their
/// way, so memory is bounded however far the workers are behind. A worker takes a part of a file
/// and then its runs, in order, while they still come.
///
/// Nobody waits for ever: parts are taken in the order they were begun, so the runs of the oldest
/// are always being stored. The first failure, on either side, wakes and ends everybody.
final class PageRelay {
    /// Parts begun that no worker has taken yet.
    static final int WAITING_MOST = 1024;

    /// Pages that follow each other.
    record Run(byte[] bytes, int pages) {}

    /// What a part of a file is: known to those who fill it and to those who store it.
    interface Subject {}

    private final int buffers;
    private final int bufferBytes;
    private final Deque<byte[]> free = new ArrayDeque<>();
    private final Deque<Part> parts = new ArrayDeque<>();
    private int made;
    private boolean finished;
    private @Nullable Throwable failure;

    /// @param buffers how many there are at most; made as they are needed
    PageRelay(int buffers, int bufferBytes) {
        this.buffers = buffers;
        this.bufferBytes = bufferBytes;
    }

    /// A part of a file on its way.
    final class Part {
        private final Subject subject;
        private final Deque<Run> runs = new ArrayDeque<>();
        private boolean ended;

        private Part(Subject subject) {
            this.subject = subject;
        }

        Subject subject() {
            return subject;
        }

        /// Sends a run; its buffer is the worker's from now on.
        void send(Run run) {
            synchronized (PageRelay.this) {
                runs.add(run);
                PageRelay.this.notifyAll();
            }
        }

        /// No more runs follow.
        void end() {
            synchronized (PageRelay.this) {
                ended = true;
                PageRelay.this.notifyAll();
            }
        }

        /// Waits for the next run; empty after the last. Give its buffer back.
        Optional<Run> next() {
            synchronized (PageRelay.this) {
                await(() -> !runs.isEmpty() || ended);
                return Optional.ofNullable(runs.poll());
            }
        }
    }

    /// Waits for a buffer that nobody uses.
    ///
    /// @throws MainstayException what a worker failed with
    synchronized byte[] buffer() {
        await(() -> !free.isEmpty() || made < buffers);
        byte[] old = free.poll();
        if (old != null) {
            return old;
        }
        made++;
        return new byte[bufferBytes];
    }

    synchronized void giveBack(byte[] buffer) {
        free.add(buffer);
        notifyAll();
    }

    /// Begins a part: some worker takes it. Parts may be empty, by the hundred thousand: who reads
    /// waits while too many of them wait.
    synchronized Part begin(Subject subject) {
        await(() -> parts.size() < WAITING_MOST);
        Part part = new Part(subject);
        parts.add(part);
        notifyAll();
        return part;
    }

    /// No more parts follow.
    synchronized void finish() {
        finished = true;
        notifyAll();
    }

    /// Waits for a part to store; empty when there are no more.
    synchronized Optional<Part> take() {
        await(() -> !parts.isEmpty() || finished);
        notifyAll();
        return Optional.ofNullable(parts.poll());
    }

    /// Ends everybody else. The first failure is the one that is thrown.
    synchronized void fail(Throwable why) {
        if (failure == null) {
            failure = why;
        }
        notifyAll();
    }

    private void await(BooleanSupplier ready) {
        try {
            while (failure == null && !ready.getAsBoolean()) {
                wait();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "the backup was interrupted", interrupted);
        }
        requireWell();
    }

    private void requireWell() {
        Throwable why = failure;
        if (why == null) {
            return;
        }
        if (why instanceof NotIncremental unfit) {
            throw unfit;
        }
        if (why instanceof MainstayException known) {
            throw new MainstayException(
                    known.code(), String.valueOf(known.getMessage()), known.hint(), known);
        }
        throw new IllegalStateException("storing pages failed", why);
    }
}
