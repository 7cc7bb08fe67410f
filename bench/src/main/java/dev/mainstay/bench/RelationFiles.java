package dev.mainstay.bench;

import dev.mainstay.repository.PageSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/// The relation segment files of the databases of a data directory whose server is at rest.
final class RelationFiles {
    static final int BLOCK = 8192;

    private RelationFiles() {}

    static List<Path> list(Path dataDirectory) throws IOException {
        try (Stream<Path> files = Files.walk(dataDirectory.resolve("base"))) {
            return files.filter(
                            file ->
                                    file.getFileName()
                                            .toString()
                                            .matches("[1-9]\\d*(_[a-z]+)?(\\.\\d+)?"))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        }
    }

    static FileChannel open(Path file) throws IOException {
        return FileChannel.open(file, StandardOpenOption.READ);
    }

    static int read(FileChannel file, int first, int pages, byte[] into) {
        try {
            ByteBuffer buffer = ByteBuffer.wrap(into, 0, pages * BLOCK);
            while (buffer.hasRemaining()
                    && file.read(buffer, (long) first * BLOCK + buffer.position()) >= 0) {
                // until all is there
            }
            return buffer.position() / BLOCK;
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    static PageSource source(FileChannel file) {
        return (first, pages, into) -> read(file, first, pages, into);
    }
}
