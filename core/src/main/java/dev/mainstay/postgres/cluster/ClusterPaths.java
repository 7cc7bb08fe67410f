package dev.mainstay.postgres.cluster;

import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What PostgreSQL keeps where in a data directory, and what of it no base backup contains
/// (src/backend/backup/basebackup.c): files that a starting server makes anew or that would mislead
/// it.
final class ClusterPaths {
    private static final Set<String> EMPTIED =
            Set.of(
                    "pg_dynshmem",
                    "pg_notify",
                    "pg_replslot",
                    "pg_serial",
                    "pg_snapshots",
                    "pg_stat_tmp",
                    "pg_subtrans");
    private static final Set<String> LEFT_OUT =
            Set.of(
                    "postmaster.pid",
                    "postmaster.opts",
                    "postgresql.auto.conf.tmp",
                    "current_logfiles.tmp",
                    "backup_label",
                    "backup_label.old",
                    "tablespace_map",
                    "tablespace_map.old",
                    "backup_manifest",
                    "mainstay-restore-incomplete"); // a restore could not make its own
    private static final Set<String> SLRUS =
            Set.of("pg_xact", "pg_commit_ts", "pg_multixact/offsets", "pg_multixact/members");
    private static final Pattern DATABASE =
            Pattern.compile("(?:base|pg_tblspc/([1-9]\\d{0,9})/[^/]+)/([1-9]\\d{0,9})");
    private static final Pattern TEMPORARY =
            Pattern.compile("t\\d+_\\d+(?:_(?:fsm|vm|init))?(?:\\.\\d+)?");
    private static final Pattern SLRU_SEGMENT = Pattern.compile("[0-9A-F]{4,15}");

    private ClusterPaths() {}

    /// Whose relations a directory holds.
    record RelationDirectory(long tablespaceOid, long databaseOid) {}

    /// Kept as a directory, without what is in it.
    static boolean isEmptied(String path) {
        return EMPTIED.contains(path);
    }

    /// Not backed up, wherever it stands. `global/pg_control` is read last of all, by itself.
    static boolean isLeftOut(String path, String name) {
        return LEFT_OUT.contains(name)
                || name.startsWith("pgsql_tmp")
                || name.startsWith("pg_internal.init")
                || path.equals(ControlFile.PATH);
    }

    /// A file of a temporary relation; only meaningful in a [RelationDirectory].
    static boolean isTemporary(String name) {
        return name.startsWith("t") && TEMPORARY.matcher(name).matches();
    }

    static boolean isSlru(String directory) {
        return SLRUS.contains(directory);
    }

    static boolean isSlruSegment(String name) {
        return SLRU_SEGMENT.matcher(name).matches();
    }

    static Optional<RelationDirectory> relations(String directory) {
        if (directory.equals("global")) {
            return Optional.of(new RelationDirectory(RelationFile.GLOBAL_TABLESPACE, 0));
        }
        Matcher matcher = DATABASE.matcher(directory);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String tablespace = matcher.group(1);
        return Optional.of(
                new RelationDirectory(
                        tablespace == null
                                ? RelationFile.DEFAULT_TABLESPACE
                                : Long.parseLong(tablespace),
                        Long.parseLong(matcher.group(2))));
    }
}
