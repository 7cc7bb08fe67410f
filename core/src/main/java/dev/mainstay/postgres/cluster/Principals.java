package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.HashMap;
import java.util.Map;

/// Names of owners and groups by their numbers, each asked from the host once: a lookup for every
/// file would cost more than reading the directory.
final class Principals {
    private final Map<Integer, String> owners = new HashMap<>();
    private final Map<Integer, String> groups = new HashMap<>();

    /// @param options those with which `uid` was read from `file`
    String owner(int uid, Path file, LinkOption... options) throws IOException {
        String known = owners.get(uid);
        if (known == null) {
            known = attributes(file, options).owner().getName();
            owners.put(uid, known);
        }
        return known;
    }

    /// @param options those with which `gid` was read from `file`
    String group(int gid, Path file, LinkOption... options) throws IOException {
        String known = groups.get(gid);
        if (known == null) {
            known = attributes(file, options).group().getName();
            groups.put(gid, known);
        }
        return known;
    }

    private static PosixFileAttributes attributes(Path file, LinkOption... options)
            throws IOException {
        return Files.readAttributes(file, PosixFileAttributes.class, options);
    }
}
