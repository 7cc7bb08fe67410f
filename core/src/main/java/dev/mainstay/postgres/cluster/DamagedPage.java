package dev.mainstay.postgres.cluster;

/// A page whose checksum is wrong and which the server is not writing.
///
/// @param path of the file below the data directory
/// @param block within the relation fork, as `pg_class` and `amcheck` count
/// @param blockInFile within the segment file
public record DamagedPage(String path, long block, int blockInFile, int found, int expected) {
    @Override
    public String toString() {
        return String.format(
                java.util.Locale.ROOT,
                "page %d of %s carries checksum %04X instead of %04X",
                block,
                path,
                found,
                expected);
    }
}
