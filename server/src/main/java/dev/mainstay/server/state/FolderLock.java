package dev.mainstay.server.state;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// That a folder is this server's. The kernel lets go of it when the process ends, however it ends.
final class FolderLock implements AutoCloseable {
    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /// @throws MainstayException SERVER_STATE_IN_USE
    static FolderLock take(Path folder) {
        try {
            FileChannel channel =
                    FileChannel.open(
                            folder.resolve("server.lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            if (isFree(channel)) {
                return new FolderLock(channel);
            }
            channel.close();
        } catch (IOException wrong) {
            throw new MainstayException(
                    ErrorCode.SERVER_STATE,
                    "cannot lock server.state.directory " + folder + ": " + wrong,
                    wrong);
        }
        throw new MainstayException(
                ErrorCode.SERVER_STATE_IN_USE,
                "server.state.directory " + folder + " is used by another server");
    }

    private static boolean isFree(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException ofThisProcess) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException _) {
            // the end of the process lets go of it
        }
    }
}
