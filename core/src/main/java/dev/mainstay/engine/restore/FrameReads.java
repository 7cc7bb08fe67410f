package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.PackId;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// A batch of files and the frames they are made of. Frames are read in the order they lie in their
/// packs, each once, however many files want it.
final class FrameReads {
    /// Frames that one thread takes at a time: neighbours, so that one request fetches several.
    private static final int UNIT = 32;

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

    private Queue<List<Read>> units() {
        Queue<List<Read>> units = new ConcurrentLinkedQueue<>();
        for (Map<Integer, Read> pack : packs.values()) {
            List<Read> sorted = new ArrayList<>(pack.values());
            sorted.sort(Comparator.comparingLong(read -> read.frame.offset()));
            for (int at = 0; at < sorted.size(); at += UNIT) {
                units.add(sorted.subList(at, Math.min(sorted.size(), at + UNIT)));
            }
        }
        return units;
    }

    /// Reads everything; when this returns, each file was given to a sink whole.
    ///
    /// @throws MainstayException the first failure of any thread, or INTERRUPTED
    void run(BackupReader backup, int threads, Supplier<Sink> sinks, Progress progress) {
        Queue<List<Read>> units = units();
        ExecutorService workers =
                Executors.newFixedThreadPool(
                        Math.max(1, Math.min(threads, units.size())),
                        Thread.ofPlatform().name("restore-", 0).factory());
        List<Future<?>> running = new ArrayList<>();
        try {
            for (int i = 0; i < Math.min(threads, units.size()); i++) {
                running.add(workers.submit(() -> work(units, backup, sinks, progress)));
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
            units.clear();
            workers.shutdownNow();
            awaitEnd(workers);
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
            Queue<List<Read>> units, BackupReader backup, Supplier<Sink> sinks, Progress progress) {
        try (PackReader packs = backup.newPackReader();
                Sink sink = sinks.get()) {
            List<Read> unit = units.poll();
            while (unit != null && !Thread.currentThread().isInterrupted()) {
                read(unit, packs, sink, progress);
                unit = units.poll();
            }
        }
    }

    private static void read(List<Read> unit, PackReader packs, Sink sink, Progress progress) {
        Map<Integer, Read> byNumber = new HashMap<>();
        unit.forEach(read -> byNumber.put(read.frame.number(), read));
        FileWork.Writer writer =
                (file, bytes, offset, length, position) -> {
                    sink.write(file, bytes, offset, length, position);
                    progress.advance(length);
                };
        packs.readAll(
                unit.stream().map(Read::frame).toList(),
                (ref, frame) -> {
                    Read read = byNumber.get(ref.number());
                    return read != null
                            && read.uses.stream().allMatch(use -> use.file.means(use.index, frame));
                },
                (ref, frame) -> {
                    Read read = byNumber.get(ref.number());
                    for (Use use : read == null ? List.<Use>of() : read.uses) {
                        if (use.file.add(use.index, frame, writer)) {
                            use.file.demandWhole();
                            sink.complete(use.file);
                        }
                    }
                });
    }
}
