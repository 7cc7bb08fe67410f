package dev.mainstay.postgres.cluster;

import java.util.Optional;

/// One file or directory of a base backup as [BaseBackupArchive] found it.
///
/// @param path below the data directory, parted by `/`; files in tablespaces stand below
///   `pg_tblspc/OID/PG_…`
/// @param sizeBytes 0 for directories
/// @param modifiedMicros since 1970
/// @param mode permission bits, such as 0600
/// @param incremental whether only pages of the relation file came that changed, as
///   [IncrementalHeader] has it
public record StreamedFile(
        String path,
        ClusterFile.Kind kind,
        long sizeBytes,
        long modifiedMicros,
        int mode,
        boolean incremental) {
    private static final String INCREMENTAL = "INCREMENTAL.";

    /// The name the server gave it.
    public String sentAs() {
        return incremental ? path.substring(0, nameAt()) + INCREMENTAL + name() : path;
    }

    private int nameAt() {
        return path.lastIndexOf('/') + 1;
    }

    private String name() {
        return path.substring(nameAt());
    }

    /// Under which path a file that came under another belongs, if only its changed pages came.
    static Optional<String> withoutPrefix(String path) {
        int at = path.lastIndexOf('/') + 1;
        return path.startsWith(INCREMENTAL, at)
                ? Optional.of(path.substring(0, at) + path.substring(at + INCREMENTAL.length()))
                : Optional.empty();
    }

    /// Present for relation segment files.
    public Optional<RelationFile> relation() {
        return kind instanceof ClusterFile.Relation(RelationFile file)
                ? Optional.of(file)
                : Optional.empty();
    }

    public boolean isDirectory() {
        return kind instanceof ClusterFile.Directory;
    }

    /// Whether it belongs into a backup's list of files. What recovery starts by does not, nor what
    /// would mislead a server; `global/pg_control` does, as the last of all.
    public boolean isKept() {
        return path.equals(ControlFile.PATH) || !ClusterPaths.isLeftOut(path, name());
    }
}
