package dev.mainstay.postgres.cluster;

import java.util.Optional;

/// One file or directory of a base backup as [BaseBackupArchive] found it.
///
/// @param path below the data directory, parted by `/`; files in tablespaces stand below
///   `pg_tblspc/OID/PG_…`
/// @param sizeBytes 0 for directories
/// @param modifiedMicros since 1970
/// @param mode permission bits, such as 0600
public record StreamedFile(
        String path, ClusterFile.Kind kind, long sizeBytes, long modifiedMicros, int mode) {
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
        return path.equals(ControlFile.PATH)
                || !ClusterPaths.isLeftOut(path, path.substring(path.lastIndexOf('/') + 1));
    }
}
