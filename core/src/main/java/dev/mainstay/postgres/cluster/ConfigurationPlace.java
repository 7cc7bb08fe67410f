package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Where a server's configuration files can be read.
interface ConfigurationPlace {
    Path dataDirectory();

    /// Whether a file is part of the data directory, and so of every backup.
    boolean isInside(Path file);

    /// @throws NoSuchFileException, AccessDeniedException, or another IOException that says why
    byte[] read(Path file) throws IOException;

    /// What is in a directory, but directories.
    List<Path> list(Path directory) throws IOException;

    /// Why something cannot be read; empty where no backup lacks it all the same.
    default Optional<String> reason(Path file, IOException e) {
        return Optional.of(
                switch (e) {
                    case NoSuchFileException _ -> "does not exist";
                    case AccessDeniedException _ -> "permission denied";
                    case NotDirectoryException _ -> "no directory";
                    default -> String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
                });
    }

    /// This host's files.
    final class Here implements ConfigurationPlace {
        private final Path dataDirectory;
        private final Path realDataDirectory;

        Here(Path dataDirectory) {
            this.dataDirectory = dataDirectory.toAbsolutePath().normalize();
            this.realDataDirectory = real(this.dataDirectory);
        }

        @Override
        public Path dataDirectory() {
            return dataDirectory;
        }

        @Override
        public boolean isInside(Path file) {
            return file.startsWith(dataDirectory) || real(file).startsWith(realDataDirectory);
        }

        private static Path real(Path path) {
            try {
                return path.toRealPath();
            } catch (IOException unresolved) {
                return path;
            }
        }

        @Override
        public byte[] read(Path file) throws IOException {
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                throw new IOException("no regular file");
            }
            return Files.readAllBytes(file);
        }

        @Override
        public List<Path> list(Path directory) throws IOException {
            List<Path> files = new ArrayList<>();
            try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
                for (Path child : children) {
                    if (!Files.isDirectory(child)) {
                        files.add(child);
                    }
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
            return files;
        }
    }
}
