package dev.mainstay.engine.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/// By which a file is known to be the one that it was, unchanged. The time of change cannot be set
/// by anybody, and every write and every change of attributes sets it.
record FileMark(Optional<Object> key, long bytes, FileTime modified, FileTime changed) {
    static FileMark of(Path file) throws IOException {
        BasicFileAttributes facts = Files.readAttributes(file, BasicFileAttributes.class);
        return new FileMark(
                Optional.ofNullable(facts.fileKey()),
                facts.size(),
                facts.lastModifiedTime(),
                (FileTime) Files.getAttribute(file, "unix:ctime"));
    }
}
