package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Whether this user of the operating system can read a data directory: every directory of it,
/// tablespaces included, and one file in each. Opening every file would take as long as listing a
/// cluster; whoever changes owners or modes does so by directories.
final class ReadableFiles {
    static final String ID = "files-unreadable";
    private static final int SHOWN = 3;
    private static final int ENOUGH = 1000;

    private ReadableFiles() {}

    static List<Finding> findings(Path dataDirectory) {
        if (!Files.isDirectory(dataDirectory)) {
            return List.of(); // said by whoever looks for the control file
        }
        List<Path> closed = closed(dataDirectory);
        if (closed.isEmpty()) {
            return List.of();
        }
        String text =
                "this user cannot read "
                        + String.join(
                                ", ", closed.stream().limit(SHOWN).map(Path::toString).toList())
                        + (closed.size() > SHOWN
                                ? " and " + (closed.size() - SHOWN) + " more files or directories"
                                : "");
        return List.of(
                Finding.error(
                        ID,
                        text,
                        "run Mainstay as the owner of the data directory (usually postgres)"));
    }

    private static List<Path> closed(Path dataDirectory) {
        Visitor visitor = new Visitor();
        try {
            Files.walkFileTree(
                    dataDirectory,
                    EnumSet.of(FileVisitOption.FOLLOW_LINKS),
                    Integer.MAX_VALUE,
                    visitor);
        } catch (IOException e) {
            visitor.closed.add(dataDirectory);
        }
        return visitor.closed;
    }

    private static final class Visitor extends SimpleFileVisitor<Path> {
        private final List<Path> closed = new ArrayList<>();
        private final Set<Path> sampled = new HashSet<>();

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            Path directory = file.toAbsolutePath().getParent();
            boolean always = file.endsWith(ControlFile.PATH);
            if (attributes.isRegularFile()
                    && directory != null
                    && (always || sampled.add(directory))) {
                open(file);
            }
            return goOn();
        }

        private void open(Path file) {
            try (FileChannel channel = FileChannel.open(file)) {
                channel.size();
            } catch (NoSuchFileException vanished) {
                // a live cluster's files come and go
            } catch (IOException unreadable) {
                closed.add(file);
            }
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException failed) {
            if (!(failed instanceof NoSuchFileException)) {
                closed.add(file);
            }
            return goOn();
        }

        @Override
        public FileVisitResult postVisitDirectory(
                Path directory, @org.jspecify.annotations.Nullable IOException failed) {
            if (failed != null) {
                closed.add(directory);
            }
            return goOn();
        }

        private FileVisitResult goOn() {
            return closed.size() < ENOUGH ? FileVisitResult.CONTINUE : FileVisitResult.TERMINATE;
        }
    }
}
