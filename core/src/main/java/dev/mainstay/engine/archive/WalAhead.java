package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// `wal push` and `wal get` for a process that stays: beside the file that is asked for, those that
/// PostgreSQL will ask for next are worked on.
///
/// Nothing is answered from memory alone. A segment that was stored ahead counts as stored only if
/// the file is the one that was read and the repository holds it at that moment; one that was
/// fetched ahead is checked again; that one is absent is never remembered. Thread-safe.
public final class WalAhead implements AutoCloseable {
    /// Memory is for so many segments of the usual size at once; larger ones are served alone.
    private static final int MAX_SEGMENT_BYTES = 16 << 20;

    /// More than work at once: those that wait for a store far away do not.
    private static final int WORKERS = 4;

    private static final int SWEEP_SECONDS = 20;

    /// Who asks for what; another repository, source or folder is another lane.
    private record Lane(String repository, String source, SystemId system, Path folder) {}

    private final Consumer<String> notes;
    private final ExecutorService workers =
            Executors.newFixedThreadPool(
                    WORKERS, Thread.ofPlatform().daemon().name("wal-ahead-", 0).factory());
    private final ScheduledExecutorService clock =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("wal-ahead-sweep").factory());
    private final Map<Lane, FetchLane> fetching = new HashMap<>();
    private final Map<Lane, StoreLane> storing = new HashMap<>();

    /// @param notes is told what went wrong ahead of its time and hurts nobody
    public WalAhead(Consumer<String> notes) {
        this.notes = notes;
        ScheduledFuture<?> _ =
                clock.scheduleWithFixedDelay(
                        this::sweep, SWEEP_SECONDS, SWEEP_SECONDS, TimeUnit.SECONDS);
    }

    /// Brings a file, as [WalGet#getFresh] does.
    ///
    /// @param get for this cluster
    /// @param fresh is made
    /// @param recovery whether PostgreSQL recovers and will ask for the next ones
    /// @return false if it is proved absent
    public boolean get(WalGet get, String name, Path fresh, boolean recovery) {
        Path folder = fresh.toAbsolutePath().getParent();
        if (!recovery
                || folder == null
                || !WalSegment.isName(name)
                || get.segmentSizeBytes() > MAX_SEGMENT_BYTES) {
            return asked(get, name, fresh);
        }
        Lane key = lane(get.archive().source(), get.archive().system(), folder);
        FetchLane lane;
        synchronized (fetching) {
            lane =
                    fetching.computeIfAbsent(
                            key,
                            _ -> new FetchLane(folder, get.segmentSizeBytes(), workers, notes));
            lane.touch();
        }
        WalSegment segment = WalSegment.parse(name, get.segmentSizeBytes());
        boolean found = lane.take(segment, fresh) || asked(get, name, fresh);
        if (found) {
            lane.found(segment, get);
        }
        return found;
    }

    /// Another repository in the place of the one that was opened proves nothing by having no such
    /// file.
    private static boolean asked(WalGet get, String name, Path fresh) {
        get.archive().source().repository().demandStillThere();
        return get.getFresh(name, fresh);
    }

    /// Stores a file, as [WalPush#push] does.
    ///
    /// @param push of this source
    public WalArchive.Stored push(WalPush push, Path file, Path dataDirectory) {
        Path folder = file.toAbsolutePath().getParent();
        String name = String.valueOf(file.getFileName());
        if (folder == null || !WalSegment.isName(name) || length(file) > MAX_SEGMENT_BYTES) {
            push.source().repository().demandStillThere();
            return push.push(file, dataDirectory);
        }
        WalPush.Target first = push.target(file, dataDirectory);
        Lane key = lane(push.source(), first.archive().system(), folder);
        StoreLane lane;
        synchronized (storing) {
            lane =
                    storing.computeIfAbsent(
                            key, _ -> new StoreLane(folder, first.archive(), workers, notes));
            lane.touch();
        }
        return lane.push(push, first.segment(), file, dataDirectory);
    }

    private static Lane lane(ProtectedSource source, SystemId system, Path folder) {
        return new Lane(source.repository().id(), source.id().hex(), system, folder);
    }

    private static long length(Path file) {
        try {
            return Files.size(file);
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.WAL_FILE_INVALID, "cannot read " + file + ": " + failed, failed);
        }
    }

    /// Lanes in which nothing was asked for a while end, and leave nothing behind.
    private void sweep() {
        try {
            synchronized (fetching) {
                fetching.values().removeIf(FetchLane::endIfIdle);
            }
            synchronized (storing) {
                storing.values().removeIf(StoreLane::isIdle);
            }
        } catch (RuntimeException failed) { // or there would be no further round
            notes.accept("WARNING: what was fetched ahead was not looked after: " + failed);
        }
    }

    @Override
    public void close() {
        clock.shutdownNow();
        synchronized (fetching) {
            fetching.values().forEach(FetchLane::end);
            fetching.clear();
        }
        workers.shutdown();
        boolean interrupted = Thread.interrupted();
        try {
            boolean _ = workers.awaitTermination(10, TimeUnit.SECONDS);
        } catch (InterruptedException again) {
            interrupted = true;
        }
        workers.shutdownNow();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
