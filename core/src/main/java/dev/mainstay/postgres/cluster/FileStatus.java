package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// What `stat` says about a file: one system call, no names looked up.
record FileStatus(
        int type, int mode, int uid, int gid, long sizeBytes, long modifiedMicros, Object key) {
    private static final int TYPE_MASK = 0170000;
    private static final int DIRECTORY = 0040000;
    private static final int REGULAR = 0100000;
    private static final int LINK = 0120000;
    private static final String ATTRIBUTES = "unix:mode,uid,gid,size,lastModifiedTime,fileKey";

    static FileStatus of(Path file, LinkOption... options) throws IOException {
        Map<String, Object> values = Files.readAttributes(file, ATTRIBUTES, options);
        int mode = (Integer) value(values, "mode");
        FileTime modified = (FileTime) value(values, "lastModifiedTime");
        return new FileStatus(
                mode & TYPE_MASK,
                mode & 07777,
                (Integer) value(values, "uid"),
                (Integer) value(values, "gid"),
                (Long) value(values, "size"),
                modified.to(TimeUnit.MICROSECONDS),
                value(values, "fileKey"));
    }

    boolean isDirectory() {
        return type == DIRECTORY;
    }

    boolean isRegular() {
        return type == REGULAR;
    }

    boolean isLink() {
        return type == LINK;
    }

    private static Object value(Map<String, Object> values, String name) {
        return Objects.requireNonNull(values.get(name), name);
    }
}
