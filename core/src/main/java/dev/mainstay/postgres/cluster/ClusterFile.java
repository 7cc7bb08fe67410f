package dev.mainstay.postgres.cluster;

import java.nio.file.Path;
import java.util.Optional;

/// One file, directory or link of a cluster as [ClusterFiles] found it.
///
/// @param path below the data directory, parted by `/`; files in tablespaces stand below
///   `pg_tblspc/OID/PG_…`; empty for the data directory itself
/// @param sizeBytes 0 for what is no file
/// @param modifiedMicros since 1970
/// @param mode permission bits, such as 0600
/// @param owner name, or number where the host knows no name
/// @param source absolute; where to read it
/// @param linkTarget where `path` is a symbolic link: what it says. All other values are those of
///   what it leads to, unless that does not exist
public record ClusterFile(
        String path,
        Kind kind,
        long sizeBytes,
        long modifiedMicros,
        int mode,
        String owner,
        String group,
        Path source,
        Optional<String> linkTarget) {
    /// How an entry has to be read.
    public sealed interface Kind {}

    /// Segment file of a relation fork: pages; growth comes from WAL.
    public record Relation(RelationFile file) implements Kind {}

    /// Segment of a simple LRU (commit log and the like): growth comes from WAL.
    public record Slru() implements Kind {
        static final Slru INSTANCE = new Slru();
    }

    /// Any other file, also when a link leads to it: read until size and time hold still.
    public record Other() implements Kind {
        static final Other INSTANCE = new Other();
    }

    /// What it contains follows later, unless it is kept empty.
    public record Directory() implements Kind {
        static final Directory INSTANCE = new Directory();
    }

    /// A symbolic link to a directory, whose contents follow below the link's own path, or to
    /// nothing.
    public record Link(String target) implements Kind {}

    /// Present for relation segment files.
    public Optional<RelationFile> relation() {
        return kind instanceof Relation(RelationFile file) ? Optional.of(file) : Optional.empty();
    }

    /// Whether there are bytes to read.
    public boolean isFile() {
        return switch (kind) {
            case Relation _, Slru _, Other _ -> true;
            case Directory _, Link _ -> false;
        };
    }
}
