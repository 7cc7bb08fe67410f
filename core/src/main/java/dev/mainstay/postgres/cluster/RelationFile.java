package dev.mainstay.postgres.cluster;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which segment of which relation fork a file holds (src/common/relpath.c).
///
/// @param tablespaceOid 1663 `pg_default`, 1664 `pg_global`, else of a directory in `pg_tblspc`
/// @param databaseOid 0 for shared relations
/// @param relfilenode unsigned 32 bits
/// @param segment from 0
public record RelationFile(
        long tablespaceOid, long databaseOid, long relfilenode, Fork fork, int segment) {
    public static final long DEFAULT_TABLESPACE = 1663;
    public static final long GLOBAL_TABLESPACE = 1664;
    private static final Pattern NAME =
            Pattern.compile("([1-9]\\d{0,9})(?:_(fsm|vm|init))?(?:\\.([1-9]\\d{0,8}))?");

    /// In the order of PostgreSQL's fork numbers.
    public enum Fork {
        MAIN,
        FSM,
        VM,
        INIT
    }

    /// Reads the name of a file in a database's directory; empty if no relation has such a name.
    public static Optional<RelationFile> parse(
            long tablespaceOid, long databaseOid, String fileName) {
        if (fileName.isEmpty() || fileName.charAt(0) < '1' || fileName.charAt(0) > '9') {
            return Optional.empty();
        }
        Matcher matcher = NAME.matcher(fileName);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        long relfilenode = Long.parseLong(matcher.group(1));
        if (relfilenode > 0xFFFF_FFFFL) {
            return Optional.empty();
        }
        String fork = matcher.group(2);
        String segment = matcher.group(3);
        return Optional.of(
                new RelationFile(
                        tablespaceOid,
                        databaseOid,
                        relfilenode,
                        fork == null ? Fork.MAIN : Fork.valueOf(fork.toUpperCase(Locale.ROOT)),
                        segment == null ? 0 : Integer.parseInt(segment)));
    }

    /// Reads the path of a file below the data directory, where tablespaces stand below
    /// `pg_tblspc/OID/PG_…`; empty if it is no relation's.
    public static Optional<RelationFile> at(String path) {
        int slash = path.lastIndexOf('/');
        return ClusterPaths.relations(slash < 0 ? "" : path.substring(0, slash))
                .flatMap(
                        in ->
                                parse(
                                        in.tablespaceOid(),
                                        in.databaseOid(),
                                        path.substring(slash + 1)));
    }

    /// Number of the file's first page within the fork; unsigned.
    public int firstBlock(int relationSegmentBlocks) {
        return segment * relationSegmentBlocks;
    }
}
