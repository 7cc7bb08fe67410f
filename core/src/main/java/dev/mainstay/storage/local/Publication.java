package dev.mainstay.storage.local;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;

/// How a written file gets its final name, if that is free.
sealed interface Publication {
    /// Whether the name was free and is taken now by `file`; the name is not durable yet.
    ///
    /// @throws java.nio.file.NoSuchFileException if the directory of `target` is not there
    boolean publish(Path file, Path target) throws IOException;

    /// A hard link is made if, and only if, the name is free: the kernel decides.
    record HardLink() implements Publication {
        @Override
        public boolean publish(Path file, Path target) throws IOException {
            try {
                Files.createLink(target, file);
                return true;
            } catch (FileAlreadyExistsException _) {
                return false;
            }
        }
    }

    /// For file systems without hard links: a rename, which is atomic but overwrites, under an
    /// exclusive lock on a file that all writers share. As safe as the locks of the file system
    /// are, which nobody can probe from one host; so the facts of the store do not promise it.
    record LockedRename(Path lockFile) implements Publication {
        /// File locks belong to the process, and closing any channel of the file drops them: one
        /// thread at a time.
        private static final ReentrantLock THIS_PROCESS = new ReentrantLock();

        @Override
        public boolean publish(Path file, Path target) throws IOException {
            THIS_PROCESS.lock();
            try (FileChannel channel =
                            FileChannel.open(
                                    lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock _ = channel.lock()) {
                if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                    return false;
                }
                Files.move(file, target, StandardCopyOption.ATOMIC_MOVE);
                return true;
            } finally {
                THIS_PROCESS.unlock();
            }
        }
    }
}
