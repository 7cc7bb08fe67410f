package dev.mainstay.repository;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A file in the temporary folder for what is too much for memory; gone when it is closed, or the
/// process is.
final class ScratchFile {
    private ScratchFile() {}

    static FileChannel open(String prefix) throws IOException {
        Path file = Files.createTempFile(prefix, null);
        return FileChannel.open(
                file,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
    }

    /// @param what is to be kept there
    static MainstayException failed(String what, IOException failed) {
        return new MainstayException(
                ErrorCode.TEMPORARY_FOLDER,
                "the temporary folder "
                        + System.getProperty("java.io.tmpdir")
                        + " cannot hold "
                        + what
                        + ": "
                        + failed.getMessage(),
                failed);
    }
}
