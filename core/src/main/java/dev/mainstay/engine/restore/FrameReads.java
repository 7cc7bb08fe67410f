package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.FetchAhead;
import dev.mainstay.repository.PackRange;
import dev.mainstay.repository.PackRanges;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackId;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// A batch of files and the frames they are made of. Frames are read in the order they lie in their
/// packs, each once, however many files want it.
final class FrameReads {
    /// Frames that one thread opens at a time: neighbours, so that one request fetches several.
    private static final int UNIT = 32;

    /// Requests that are on their way at once, beside those whose answers are being opened.
    private static final int AHEAD = 16;

    /// What these may take in memory with the answers that are being opened; each thread has one of
    /// these anyhow, of up to [PackRange#MOST_BYTES].
    private static final long AHEAD_BYTES = 48 << 20;

    /// What a thread does with the bytes; closed when the thread has no more.
    interface Sink extends FileWork.Writer, AutoCloseable {
        /// The file is whole and proved.
        void complete(FileWork file);

        @Override
        void close();
    }

    private record Use(FileWork file, int index) {}

    private record Read(FrameRef frame, List<Use> uses) {}

    private final Map<PackId, Map<Integer, Read>> packs = new HashMap<>();
    private int frames;
    private long pages;
    private long bytes;

    int frames() {
        return frames;
    }

    long pages() {
        return pages;
    }

    /// Stored bytes of the frames that are read.
    long bytes() {
        return bytes;
    }

    void add(FileWork file, FileWork.Pages from) {
        for (int i = 0; i < from.map().frames().size(); i++) {
            if (from.isWanted(i)) {
                add(from.map().frames().get(i).ref(), new Use(file, i));
            }
        }
        pages += from.map().pageCount();
    }

    void add(FileWork file, FileWork.Chunks from) {
        for (int i = 0; i < from.chunks().size(); i++) {
            if (from.isWanted(i)) {
                add(from.chunks().get(i).frame(), new Use(file, i));
            }
        }
    }

    private void add(FrameRef frame, Use use) {
        Read read =
                packs.computeIfAbsent(frame.pack(), _ -> new HashMap<>())
                        .computeIfAbsent(frame.number(), _ -> new Read(frame, new ArrayList<>(1)));
        if (read.uses.isEmpty()) {
            bytes += frame.length();
        }
        read.uses.add(use);
        frames++;
    }

    /// What is fetched with one request.
    private static final class Piece {
        private final PackRange range;
        private final Map<Integer, Read> reads = new HashMap<>();
        private PackRanges.@Nullable Fetched fetched;
        private @Nullable MainstayException failure;

        Piece(PackRange range, Map<Integer, Read> pack) {
            this.range = range;
            for (FrameRef frame : range.frames()) {
                reads.put(frame.number(), Objects.requireNonNull(pack.get(frame.number())));
            }
        }

        /// Its failure is for who opens it: the frames may be elsewhere.
        Piece fetch(PackRanges ranges) {
            try {
                fetched = ranges.fetch(range);
            } catch (MainstayException failed) {
                failure = failed;
            }
            return this;
        }

        PackRanges.Fetched fetched() {
            if (failure != null) {
                throw failure;
            }
            return Objects.requireNonNull(fetched);
        }
    }

    private Stream<Piece> pieces() {
        return packs.values().stream().flatMap(FrameReads::pieces);
    }

    private static Stream<Piece> pieces(Map<Integer, Read> pack) {
        List<FrameRef> sorted = new ArrayList<>();
        pack.values().forEach(read -> sorted.add(read.frame));
        sorted.sort(Comparator.comparingLong(FrameRef::offset));
        List<Piece> pieces = new ArrayList<>();
        for (int at = 0; at < sorted.size(); at += UNIT) {
            List<FrameRef> unit = sorted.subList(at, Math.min(sorted.size(), at + UNIT));
            PackRange.of(unit).forEach(range -> pieces.add(new Piece(range, pack)));
        }
        return pieces.stream();
    }

    private FetchAhead<Piece> fetchAhead(BackupReader backup) {
        return new FetchAhead<>(
                backup.beside(),
                AHEAD,
                AHEAD_BYTES,
                pieces().map(
                                piece ->
                                        new FetchAhead.Fetch<>(
                                                piece.range.length(),
                                                () -> piece.fetch(backup.ranges())))
                        .iterator());
    }

    /// Reads everything; when this returns, each file was given to a sink whole.
    ///
    /// @throws MainstayException the first failure of any thread, or INTERRUPTED
    void run(BackupReader backup, int threads, Supplier<Sink> sinks, Progress progress) {
        if (packs.isEmpty()) {
            return;
        }
        int most = Math.max(1, threads);
        ExecutorService workers =
                Executors.newFixedThreadPool(
                        most, Thread.ofPlatform().name("restore-", 0).factory());
        List<Future<?>> running = new ArrayList<>();
        AtomicBoolean ending = new AtomicBoolean();
        try (FetchAhead<Piece> ahead = fetchAhead(backup)) {
            try {
                for (int i = 0; i < most; i++) {
                    running.add(workers.submit(() -> work(ahead, ending, backup, sinks, progress)));
                }
                for (Future<?> each : running) {
                    each.get();
                }
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
                throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
            } catch (ExecutionException failed) {
                throw failed.getCause() instanceof MainstayException known
                        ? known
                        : new MainstayException(
                                ErrorCode.INTERNAL, "reading frames failed: " + failed, failed);
            } finally {
                ending.set(true);
                workers.shutdownNow();
                awaitEnd(workers);
            }
        }
    }

    private static void awaitEnd(ExecutorService workers) {
        boolean interrupted = Thread.interrupted();
        try {
            while (!workers.awaitTermination(1, TimeUnit.MINUTES)) {
                // a thread is in the store; it sees that it was interrupted when that returns
            }
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void work(
            FetchAhead<Piece> ahead,
            AtomicBoolean ending,
            BackupReader backup,
            Supplier<Sink> sinks,
            Progress progress) {
        try (PackReader packs = backup.newPackReader();
                Sink sink = sinks.get()) {
            while (!ending.get() && !Thread.currentThread().isInterrupted()) {
                Optional<FetchAhead<Piece>.Begun> next = ahead.take();
                if (next.isEmpty()) {
                    return;
                }
                try (FetchAhead<Piece>.Begun begun = next.get()) {
                    open(begun.answer(), packs, sink, progress);
                }
            }
        }
    }

    private static void open(Piece piece, PackReader packs, Sink sink, Progress progress) {
        FileWork.Writer writer =
                (file, bytes, offset, length, position) -> {
                    sink.write(file, bytes, offset, length, position);
                    progress.advance(length);
                };
        packs.open(
                piece.range,
                piece::fetched,
                (ref, frame) -> {
                    Read read = piece.reads.get(ref.number());
                    return read != null
                            && read.uses.stream().allMatch(use -> use.file.means(use.index, frame));
                },
                (ref, frame) -> {
                    Read read = piece.reads.get(ref.number());
                    for (Use use : read == null ? List.<Use>of() : read.uses) {
                        if (use.file.add(use.index, frame, writer)) {
                            use.file.demandWhole();
                            sink.complete(use.file);
                        }
                    }
                });
    }
}
