package dev.mainstay.postgres.cluster;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// One thing that a [CatalogSnapshot] says of a cluster. OIDs are unsigned 32-bit numbers.
///
/// Names are those of the catalogs. In a database of encoding SQL_ASCII a name need not be text;
/// what is no UTF-8 in it is then replaced by U+FFFD.
public sealed interface CatalogEntry {
    /// The cluster as a whole.
    ///
    /// @param version as `version()` says, for people
    /// @param versionNum such as 150014
    record Server(
            String version,
            int versionNum,
            int blockSizeBytes,
            int roles,
            List<Tablespace> tablespaces)
            implements CatalogEntry {
        public Server {
            tablespaces = List.copyOf(tablespaces);
        }
    }

    record Tablespace(long oid, String name) {}

    /// A database; comes after all that is in it.
    ///
    /// @param tablespaceOid where relations are that name no tablespace of their own
    /// @param collate as `datcollate`
    /// @param ctype as `datctype`
    /// @param provider of its collation: `c` libc, `i` ICU, `b` built in
    /// @param locale of a provider other than libc
    /// @param collationVersion recorded when the database was made or refreshed
    /// @param actualCollationVersion of the library in use now; another one means that indexes on
    ///   text may be out of order
    /// @param unread why entries of this database are missing, in part or all of them: it allows no
    ///   connections, refuses them, or failed; empty if all of them came
    record Database(
            long oid,
            String name,
            long tablespaceOid,
            String encoding,
            String collate,
            String ctype,
            char provider,
            Optional<String> locale,
            Optional<String> collationVersion,
            Optional<String> actualCollationVersion,
            Optional<String> unread)
            implements CatalogEntry {}

    /// A row of `pg_class`. Shared relations come with every database.
    ///
    /// @param databaseOid in whose catalog it stands
    /// @param relfilenode the real one, also of mapped catalogs; 0 without storage
    /// @param tablespaceOid the real one; 0 without storage, unless it names one for its partitions
    /// @param kind as `pg_class.relkind`
    /// @param persistence as `pg_class.relpersistence`: `p`, `u` unlogged, `t` temporary
    /// @param pages estimate of the last VACUUM, ANALYZE or the like
    /// @param rows estimate of the same; empty if there was none yet
    /// @param bytes of these pages
    record Relation(
            long databaseOid,
            long oid,
            long relfilenode,
            long tablespaceOid,
            String schema,
            String name,
            char kind,
            char persistence,
            long pages,
            OptionalLong rows,
            long bytes)
            implements CatalogEntry {
        /// Its first file; empty without storage, and for temporary relations, which no backup has.
        public Optional<RelationFile> file() {
            if (relfilenode == 0 || persistence == 't') {
                return Optional.empty();
            }
            boolean shared = tablespaceOid == RelationFile.GLOBAL_TABLESPACE;
            return Optional.of(
                    new RelationFile(
                            tablespaceOid,
                            shared ? 0 : databaseOid,
                            relfilenode,
                            RelationFile.Fork.MAIN,
                            0));
        }
    }

    record Extension(long databaseOid, String schema, String name, String version)
            implements CatalogEntry {}

    /// A collation that a column uses, or that does not come with PostgreSQL.
    ///
    /// @param provider `d` that of the database, `c` libc, `i` ICU, `b` built in
    /// @param version recorded when it was made or refreshed
    /// @param actualVersion of the library in use now
    record Collation(
            long databaseOid,
            long oid,
            String schema,
            String name,
            char provider,
            Optional<String> version,
            Optional<String> actualVersion)
            implements CatalogEntry {}
}
