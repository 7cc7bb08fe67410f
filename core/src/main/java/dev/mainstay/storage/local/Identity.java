package dev.mainstay.storage.local;

import org.jspecify.annotations.Nullable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;

/// Which directory a path leads to. Inode numbers are used again soon after a directory is removed,
/// so the time of birth belongs to it. Where the system does not know that time the JDK gives the
/// time of the last change: then a directory looks new more often than it is, which is safe.
record Identity(@Nullable Object fileKey, FileTime created) {
    static Identity of(Path directory) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(directory, BasicFileAttributes.class);
        return new Identity(attributes.fileKey(), attributes.creationTime());
    }
}
