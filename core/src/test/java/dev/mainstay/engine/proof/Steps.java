package dev.mainstay.engine.proof;

import dev.mainstay.storage.DeleteOutcome;
import dev.mainstay.storage.ForwardingStore;
import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.PutOutcome;

import org.jspecify.annotations.Nullable;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Processes at one store that go on call by call, as a test says: each stands before a call of its
/// own until it is told to go on.
final class Steps implements AutoCloseable {
    /// What is thrown through a process that a test is done with.
    private static final class Stopped extends Error {
        private static final long serialVersionUID = 1;
    }

    /// A call that was made, or is about to be.
    ///
    /// @param what the method
    /// @param name of the object, or what the names begin with that are listed
    /// @param writes whether it changed anything
    record Call(int process, String what, String name, boolean writes) {
        /// Whether it matters which of the two comes first.
        boolean conflictsWith(Call other) {
            if (!writes && !other.writes) {
                return false;
            }
            return sees(other) || other.sees(this);
        }

        private boolean sees(Call other) {
            return what.equals("list") ? other.name.startsWith(name) : other.name.equals(name);
        }
    }

    private final ObjectStore store;
    private final List<Call> made = new ArrayList<>();
    private final List<Player> processes = new ArrayList<>();
    private final Semaphore back = new Semaphore(0);

    Steps(ObjectStore store) {
        this.store = store;
    }

    /// All calls so far, in their order.
    List<Call> made() {
        return List.copyOf(made);
    }

    Player add(Consumer<ObjectStore> deed) {
        return add(Integer.MAX_VALUE, deed);
    }

    /// @param page as many names the store lists at once
    Player add(int page, Consumer<ObjectStore> deed) {
        Player process = new Player(processes.size(), page, deed);
        processes.add(process);
        return process;
    }

    /// One of them.
    final class Player {
        private final int number;
        private final Semaphore go = new Semaphore(0);
        private final Thread thread;
        private boolean started;
        private boolean stopped;
        private @Nullable Call next;
        private @Nullable Throwable failure;

        private Player(int number, int page, Consumer<ObjectStore> deed) {
            this.number = number;
            this.thread =
                    Thread.ofPlatform()
                            .daemon()
                            .unstarted(
                                    () -> {
                                        try {
                                            deed.accept(new Stepped(this, page));
                                        } catch (Stopped gone) {
                                            // as wanted
                                        } catch (Throwable failed) {
                                            failure = failed;
                                        } finally {
                                            next = null;
                                            back.release();
                                        }
                                    });
        }

        private void await() {
            back.acquireUninterruptibly();
            Throwable failed = failure;
            if (failed != null && !stopped) {
                throw new AssertionError("process " + number + " failed: " + failed, failed);
            }
        }

        /// The call it stands before; empty if it has ended.
        Optional<Call> next() {
            if (!started) {
                started = true;
                thread.start();
                await();
            }
            return Optional.ofNullable(next);
        }

        /// Makes one call.
        ///
        /// @return whether there was one left
        boolean step() {
            if (next().isEmpty()) {
                return false;
            }
            go.release();
            await();
            return true;
        }

        void steps(int calls) {
            for (int i = 0; i < calls && step(); ) {
                i++;
            }
        }

        /// Goes on until it stands before such a call.
        void until(Predicate<Call> before) {
            while (!before.test(next().orElseThrow(() -> new AssertionError("has ended")))) {
                step();
            }
        }

        /// Goes on until it stands before such a call, of an object whose name begins so.
        void until(String what, String name) {
            until(call -> call.what.equals(what) && call.name.startsWith(name));
        }

        void finish() {
            steps(Integer.MAX_VALUE);
        }

        private void ask(Call call) {
            next = call;
            back.release();
            go.acquireUninterruptibly();
            if (stopped) {
                throw new Stopped();
            }
        }
    }

    /// Ends those that have not, where they stand, as if they were killed.
    @Override
    public void close() {
        for (Player each : processes) {
            each.stopped = true;
            while (each.started && each.next != null) {
                each.go.release();
                back.acquireUninterruptibly();
            }
        }
    }

    /// The store as a process sees it.
    private final class Stepped extends ForwardingStore {
        private final Player process;
        private final int page;

        Stepped(Player process, int page) {
            super(store);
            this.process = process;
            this.page = page;
        }

        private <T> T call(String what, String name, Supplier<T> effect, Predicate<T> writes) {
            process.ask(new Call(process.number, what, name, false));
            T outcome;
            try {
                outcome = effect.get();
            } catch (RuntimeException failed) {
                made.add(new Call(process.number, what, name, false));
                throw failed;
            }
            made.add(new Call(process.number, what, name, writes.test(outcome)));
            return outcome;
        }

        @Override
        public PutOutcome put(String name, ByteBuffer... content) {
            return call("put", name, () -> inner.put(name, content), PutOutcome.CREATED::equals);
        }

        @Override
        public void replace(String name, ByteBuffer... content) {
            boolean _ =
                    call(
                            "replace",
                            name,
                            () -> {
                                inner.replace(name, content);
                                return true;
                            },
                            _ -> true);
        }

        @Override
        public byte[] get(String name, long offset, int length) {
            return call("get", name, () -> inner.get(name, offset, length), _ -> false);
        }

        @Override
        public Optional<Long> size(String name) {
            return call("size", name, () -> inner.size(name), _ -> false);
        }

        @Override
        public ListPage list(String prefix, String after, int limit) {
            return call(
                    "list",
                    prefix,
                    () -> inner.list(prefix, after, Math.min(limit, page)),
                    _ -> false);
        }

        @Override
        public DeleteOutcome delete(String name) {
            return call("delete", name, () -> inner.delete(name), DeleteOutcome.DELETED::equals);
        }
    }
}
