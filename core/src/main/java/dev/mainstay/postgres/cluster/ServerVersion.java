package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The supported major versions of PostgreSQL and everything in which they differ. No other class
/// asks for a version number.
///
/// | | 14 | 15 | 16 | 17 | 18 |
/// |---|---|---|---|---|---|
/// | pg_control_version | 1300 | 1300 | 1300 | 1700 | 1800 (`default_char_signedness`) |
/// | backup functions | pg_start_backup | pg_backup_start … | | | |
/// | includes in pg_hba.conf | | | yes | yes | yes |
/// | backup_manifest | 1 | 1 | 1 | 2 | 2 |
/// | pg_wal/summaries | | | | yes | yes |
/// | ICU locale of a database | | daticulocale | daticulocale | datlocale | datlocale |
public enum ServerVersion {
    V14(14, 1300, BackupCalls.EXCLUSIVE_FLAG, Collations.LIBC_ONLY, false, 1, false),
    V15(15, 1300, BackupCalls.PLAIN, Collations.ICU_LOCALE, false, 1, false),
    V16(16, 1300, BackupCalls.PLAIN, Collations.ICU_LOCALE, true, 1, false),
    V17(17, 1700, BackupCalls.PLAIN, Collations.LOCALE, true, 2, true),
    V18(18, 1800, BackupCalls.PLAIN, Collations.LOCALE, true, 2, true);

    private final int major;
    private final int controlVersion;
    private final BackupCalls calls;
    private final Collations collations;
    private final boolean includesInHba;
    private final int manifestVersion;
    private final boolean walSummaries;

    ServerVersion(
            int major,
            int controlVersion,
            BackupCalls calls,
            Collations collations,
            boolean includesInHba,
            int manifestVersion,
            boolean walSummaries) {
        this.major = major;
        this.controlVersion = controlVersion;
        this.calls = calls;
        this.collations = collations;
        this.includesInHba = includesInHba;
        this.manifestVersion = manifestVersion;
        this.walSummaries = walSummaries;
    }

    /// @throws MainstayException SERVER_VERSION_UNSUPPORTED
    public static ServerVersion ofMajor(int major) {
        for (ServerVersion version : values()) {
            if (version.major == major) {
                return version;
            }
        }
        throw new MainstayException(
                ErrorCode.SERVER_VERSION_UNSUPPORTED, "PostgreSQL " + major + " is not supported");
    }

    /// @param serverVersionNum the setting `server_version_num`, such as 150014
    public static ServerVersion ofServerVersionNum(int serverVersionNum) {
        return ofMajor(serverVersionNum / 10_000);
    }

    /// As the file `PG_VERSION` of a data directory says.
    ///
    /// @throws MainstayException BACKUP_CONTROL_FILE if that cannot be read,
    ///   SERVER_VERSION_UNSUPPORTED
    public static ServerVersion ofDataDirectory(Path dataDirectory) {
        Path file = dataDirectory.resolve("PG_VERSION");
        String text;
        try {
            text = Files.readString(file).strip();
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.BACKUP_CONTROL_FILE, "cannot read " + file + ": " + e, e);
        }
        if (!text.matches("\\d{1,4}")) {
            throw new MainstayException(
                    ErrorCode.SERVER_VERSION_UNSUPPORTED,
                    file + " says '" + text + "', which is no supported version");
        }
        return ofMajor(Integer.parseInt(text));
    }

    public int major() {
        return major;
    }

    /// Version of the layout of `global/pg_control`.
    public int controlVersion() {
        return controlVersion;
    }

    /// Where the CRC stands in a control file of this layout; empty for an unknown layout.
    static Optional<Integer> controlCrcOffset(int controlVersion) {
        return switch (controlVersion) {
            case 1300, 1700 -> Optional.of(288);
            case 1800 -> Optional.of(292);
            default -> Optional.empty();
        };
    }

    /// The directory that this version uses in every tablespace.
    public String tablespaceDirectory(int catalogVersion) {
        return "PG_" + major + "_" + catalogVersion;
    }

    /// Version of the format of `backup_manifest`; from 2 on it holds the system identifier.
    public int manifestVersion() {
        return manifestVersion;
    }

    boolean includesInHba() {
        return includesInHba;
    }

    public boolean walSummaries() {
        return walSummaries;
    }

    /// Starts a non-exclusive backup; parameters: label, fast.
    String startBackupSql() {
        return calls.start;
    }

    /// Ends it without waiting for the archive; columns: lsn, labelfile, spcmapfile.
    String stopBackupSql() {
        return calls.stop;
    }

    /// Functions that a backup calls and that only superusers may call unless granted.
    public List<String> backupFunctions() {
        return List.of(calls.startSignature, calls.stopSignature);
    }

    /// Expression for the locale of a database whose provider is not libc, or NULL.
    String databaseLocaleColumn() {
        return collations.locale;
    }

    String databaseProviderColumn() {
        return collations.provider;
    }

    /// Expressions for the recorded and the actual version of a database's own collation.
    String databaseCollationVersionColumns() {
        return collations.versions;
    }

    private enum BackupCalls {
        EXCLUSIVE_FLAG(
                "SELECT pg_catalog.pg_start_backup(?, ?, false)",
                "SELECT lsn, labelfile, spcmapfile FROM pg_catalog.pg_stop_backup(false, false)",
                "pg_start_backup(text, boolean, boolean)",
                "pg_stop_backup(boolean, boolean)"),
        PLAIN(
                "SELECT pg_catalog.pg_backup_start(?, ?)",
                "SELECT lsn, labelfile, spcmapfile FROM pg_catalog.pg_backup_stop(false)",
                "pg_backup_start(text, boolean)",
                "pg_backup_stop(boolean)");

        private final String start;
        private final String stop;
        private final String startSignature;
        private final String stopSignature;

        BackupCalls(String start, String stop, String startSignature, String stopSignature) {
            this.start = start;
            this.stop = stop;
            this.startSignature = startSignature;
            this.stopSignature = stopSignature;
        }
    }

    private enum Collations {
        LIBC_ONLY("NULL::text", "'c'::\"char\"", "NULL::text, NULL::text"),
        ICU_LOCALE("d.daticulocale", "d.datlocprovider", Collations.RECORDED_AND_ACTUAL),
        LOCALE("d.datlocale", "d.datlocprovider", Collations.RECORDED_AND_ACTUAL);

        private static final String RECORDED_AND_ACTUAL =
                "d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid)";

        private final String locale;
        private final String provider;
        private final String versions;

        Collations(String locale, String provider, String versions) {
            this.locale = locale;
            this.provider = provider;
            this.versions = versions;
        }
    }
}
