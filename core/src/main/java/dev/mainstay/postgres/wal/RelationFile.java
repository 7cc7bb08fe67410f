package dev.mainstay.postgres.wal;

/// The place of a relation's files: tablespace, database (0: shared by all) and file number — what
/// PostgreSQL calls relfilenode and since 16 RelFileLocator. Each is an unsigned 32-bit number.
public record RelationFile(long tablespace, long database, long number)
        implements Comparable<RelationFile> {
    public RelationFile {
        if ((tablespace | database | number) >>> 32 != 0) {
            throw new IllegalArgumentException("not a relation file");
        }
    }

    @Override
    public int compareTo(RelationFile other) {
        int byTablespace = Long.compare(tablespace, other.tablespace);
        if (byTablespace != 0) {
            return byTablespace;
        }
        int byDatabase = Long.compare(database, other.database);
        return byDatabase != 0 ? byDatabase : Long.compare(number, other.number);
    }

    /// As `pg_waldump` prints it: tablespace/database/number.
    @Override
    public String toString() {
        return tablespace + "/" + database + "/" + number;
    }
}
