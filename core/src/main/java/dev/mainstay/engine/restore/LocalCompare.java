package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.ContentCheck;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Compares many files with what a backup has of them, with several threads.
final class LocalCompare {
    private record Task(LocalContent file, LocalContent.Part part) {}

    private final BackupReader backup;
    private final Progress progress;
    private final AtomicLong compared = new AtomicLong();
    private final AtomicLong kept = new AtomicLong();

    LocalCompare(BackupReader backup, Progress progress) {
        this.backup = backup;
        this.progress = progress;
    }

    long comparedBytes() {
        return compared.get();
    }

    long keptBytes() {
        return kept.get();
    }

    /// When this returns, each file knows what it holds.
    ///
    /// @throws MainstayException INTERRUPTED
    void run(List<LocalContent> files, int threads) {
        Queue<Task> tasks = new ConcurrentLinkedQueue<>();
        files.forEach(file -> file.parts(part -> tasks.add(new Task(file, part))));
        ExecutorService workers =
                Executors.newFixedThreadPool(
                        threads, Thread.ofPlatform().name("compare-", 0).factory());
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                running.add(workers.submit(() -> work(tasks)));
            }
            for (Future<?> each : running) {
                each.get();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
        } catch (ExecutionException failed) {
            throw new MainstayException(
                    ErrorCode.INTERNAL, "comparing files failed: " + failed, failed);
        } finally {
            tasks.clear();
            workers.shutdown();
            awaitEnd(workers);
        }
    }

    private static void awaitEnd(ExecutorService workers) {
        boolean interrupted = Thread.interrupted();
        try {
            while (!workers.awaitTermination(1, TimeUnit.MINUTES)) {
                // one part is being read from a slow disk
            }
        } catch (InterruptedException again) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void work(Queue<Task> tasks) {
        ContentCheck check = backup.newContentCheck();
        try (OpenFile open = new OpenFile()) {
            for (Task task = tasks.poll(); task != null; task = tasks.poll()) {
                try {
                    task.part.compare(open, check);
                } catch (IOException unreadable) {
                    open.closeFile(); // what cannot be read is written again
                }
            }
        }
    }

    /// One thread's file and memory.
    private final class OpenFile implements LocalContent.Reader, AutoCloseable {
        private byte[] bytes = {};
        private @Nullable LocalContent current;
        private @Nullable FileChannel channel;

        @Override
        public int read(LocalContent file, long position, int offset, int length)
                throws IOException {
            FileChannel in = open(file);
            ByteBuffer buffer = ByteBuffer.wrap(bytes, offset, length);
            int done = 0;
            while (buffer.hasRemaining()) {
                int count = in.read(buffer, position + done);
                if (count < 0) {
                    break;
                }
                done += count;
            }
            compared.addAndGet(done);
            return done;
        }

        private FileChannel open(LocalContent file) throws IOException {
            FileChannel open = channel;
            if (open == null || current != file) {
                closeFile();
                open =
                        FileChannel.open(
                                file.path(), StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
                channel = open;
                current = file;
            }
            return open;
        }

        @Override
        public byte[] bytes() {
            return bytes;
        }

        @Override
        public void room(int length) {
            if (bytes.length < length) {
                bytes = new byte[length];
            }
        }

        @Override
        public void kept(long some) {
            kept.addAndGet(some);
            progress.advance(some);
        }

        void closeFile() {
            FileChannel open = channel;
            channel = null;
            current = null;
            if (open != null) {
                try {
                    open.close();
                } catch (IOException onlyRead) {
                    // nothing was written through it
                }
            }
        }

        @Override
        public void close() {
            closeFile();
        }
    }
}
