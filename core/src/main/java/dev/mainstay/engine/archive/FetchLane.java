package dev.mainstay.engine.archive;

import dev.mainstay.base.WalSegment;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// One recovery that asks for segment after segment: the next ones are fetched into a folder beside
/// it, to be renamed when they are asked for.
///
/// What is fetched is wanted as long as it is in `ahead`. Whoever takes it out hands its file over
/// or discards it; the file of one that is discarded while it is fetched goes when that has ended.
final class FetchLane {
    /// Segments that are ahead at most; of 16 MiB each, 128 MiB of disk.
    static final int AHEAD = 8;

    /// Nothing is fetched ahead onto a disk that has no room for so many times that.
    private static final int SPARE = 4;

    private static final Duration IDLE = Duration.ofSeconds(60);
    static final String FOLDER = ".mainstay-ahead~";

    /// A segment in a file of ours.
    record Held(Path file, FileMark mark) {}

    private final class Ahead implements Runnable {
        final WalSegment segment;
        private final FutureTask<Optional<Held>> task;
        private boolean discarded;

        Ahead(WalSegment segment, WalGet get) {
            this.segment = segment;
            this.task = new FutureTask<>(() -> fetch(segment, get));
        }

        @Override
        public void run() {
            if (isDiscarded()) {
                task.cancel(false);
            }
            task.run();
            Optional<Held> held = outcome();
            synchronized (FetchLane.this) {
                if (discarded) {
                    held.ifPresent(FetchLane.this::remove);
                } else if (held.isEmpty() && ahead.remove(segment, this)) {
                    // That there is nothing is true for a moment only, so it is forgotten; and
                    // what lies beyond will not be asked for next.
                    discardIf(other -> other.number() > segment.number());
                }
            }
        }

        private boolean isDiscarded() {
            synchronized (FetchLane.this) {
                return discarded;
            }
        }

        /// Guarded by the lane.
        void discard() {
            discarded = true;
            if (task.isDone()) {
                outcome().ifPresent(FetchLane.this::remove);
            }
        }

        /// Fetches it, unless a worker has begun to.
        Optional<Held> take() {
            task.run();
            return outcome();
        }

        private Optional<Held> outcome() {
            try {
                return task.get();
            } catch (ExecutionException failed) {
                complain(String.valueOf(failed.getCause()));
            } catch (CancellationException unwanted) {
                // nobody waits for it
            } catch (InterruptedException stopped) {
                synchronized (FetchLane.this) {
                    discarded = true;
                }
                Thread.currentThread().interrupt();
            }
            return Optional.empty(); // fetched as if nothing had been tried
        }
    }

    private final Path wal;
    private final Path folder;
    private final int segmentSizeBytes;
    private final Executor workers;
    private final Consumer<String> notes;
    private final Map<WalSegment, Ahead> ahead = new HashMap<>();
    private final AtomicLong files = new AtomicLong();
    private @Nullable WalSegment last;
    private long touchedNanos = System.nanoTime();
    private boolean ended;
    private boolean complained;

    FetchLane(Path wal, int segmentSizeBytes, Executor workers, Consumer<String> notes) {
        this.wal = wal;
        this.folder = wal.resolve(FOLDER);
        this.segmentSizeBytes = segmentSizeBytes;
        this.workers = workers;
        this.notes = notes;
        removeLeft(wal);
    }

    /// Removes what was ahead in agents that were killed.
    static void removeLeft(Path wal) {
        LeftFiles.remove(wal);
        LeftFiles.remove(wal.resolve(FOLDER));
        try {
            Files.deleteIfExists(wal.resolve(FOLDER));
        } catch (IOException notEmpty) {
            // it is a living one's
        }
    }

    synchronized void touch() {
        touchedNanos = System.nanoTime();
    }

    /// Brings a segment that was fetched ahead, under the name `fresh`.
    ///
    /// @return false if it was not; whether it is in the repository is to be asked there
    boolean take(WalSegment segment, Path fresh) {
        Ahead own;
        synchronized (this) {
            own = ahead.remove(segment);
        }
        return own != null && own.take().filter(held -> handOver(held, fresh)).isPresent();
    }

    /// A segment was asked for, and is there: if it follows the one before, those that follow it
    /// are begun.
    void found(WalSegment segment, WalGet get) {
        synchronized (this) {
            WalSegment before = last;
            last = segment;
            discardIf(other -> !isNear(segment, other));
            boolean inOrder =
                    before != null
                            && segment.number() == before.number() + 1
                            && segment.timeline().compareTo(before.timeline()) >= 0;
            if (!inOrder || ended || !hasRoom()) {
                return;
            }
            WalSegment next = segment;
            for (int i = 0; i < AHEAD; i++) {
                next = next.next();
                begin(next, get);
            }
        }
    }

    private static boolean isNear(WalSegment asked, WalSegment other) {
        long distance = other.number() - asked.number();
        return other.timeline().equals(asked.timeline()) && distance > 0 && distance <= AHEAD;
    }

    private void discardIf(Predicate<WalSegment> unwanted) {
        for (WalSegment segment : List.copyOf(ahead.keySet())) {
            if (unwanted.test(segment)) {
                Objects.requireNonNull(ahead.remove(segment)).discard();
            }
        }
    }

    /// A folder that cannot be asked has none.
    private boolean hasRoom() {
        return wal.toFile().getUsableSpace() >= (long) segmentSizeBytes * AHEAD * SPARE;
    }

    private void begin(WalSegment segment, WalGet get) {
        if (!ahead.containsKey(segment)) {
            Ahead one = new Ahead(segment, get);
            try {
                workers.execute(one);
                ahead.put(segment, one);
            } catch (RejectedExecutionException closing) {
                // then it is fetched when it is asked for
            }
        }
    }

    private Optional<Held> fetch(WalSegment segment, WalGet get) throws IOException {
        Path file =
                folder.resolve(LeftFiles.name(files.incrementAndGet() + "-" + segment.fileName()));
        makeFolder();
        try (FreshFile fresh = new FreshFile(file, wal)) {
            if (!get.archive().get(segment, fresh)) {
                return Optional.empty();
            }
            if (Files.size(file) != segmentSizeBytes) {
                throw new IOException(segment + " is not of the size of this cluster's segments");
            }
            fresh.keep();
        }
        Held held = new Held(file, FileMark.of(file));
        synchronized (this) {
            complained = false;
        }
        return Optional.of(held);
    }

    private void makeFolder() throws IOException {
        try {
            Files.createDirectory(
                    folder,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException made) {
            // by the one before
        }
    }

    /// Told once, until it goes well again.
    private synchronized void complain(String why) {
        if (!complained && !ended) {
            complained = true;
            notes.accept("WARNING: segments cannot be fetched ahead into " + folder + ": " + why);
        }
    }

    /// Renames a segment to where it is wanted if it is still what was fetched.
    private boolean handOver(Held held, Path fresh) {
        try {
            if (!FileMark.of(held.file).equals(held.mark)) {
                notes.accept("WARNING: " + held.file + " was changed by somebody; fetched anew");
                remove(held);
                return false;
            }
            Files.move(held.file, fresh, StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (IOException gone) {
            remove(held);
            return false;
        }
    }

    private void remove(Held held) {
        try {
            Files.deleteIfExists(held.file);
            removeFolderIfEnded();
        } catch (IOException failed) {
            notes.accept("WARNING: cannot remove " + held.file + ": " + failed);
        }
    }

    synchronized boolean endIfIdle() {
        if (System.nanoTime() - touchedNanos < IDLE.toNanos()) {
            return false;
        }
        end();
        return true;
    }

    /// Removes what is ahead; what is being fetched at this moment goes when that has ended.
    synchronized void end() {
        ended = true;
        discardIf(_ -> true);
        LeftFiles.remove(folder);
        removeFolderIfEnded();
    }

    private synchronized void removeFolderIfEnded() {
        if (ended) {
            try {
                Files.deleteIfExists(folder);
            } catch (IOException notEmpty) {
                // it goes with its last file, or is another agent's
            }
        }
    }
}
