package dev.mainstay.postgres.wal;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.Optional;

/// The WAL formats of the supported PostgreSQL versions, and everything in which they differ as far
/// as this package reads them. The first two bytes of every page tell the format.
public enum WalFormat {
    PG14(14, 0xD10D),
    PG15(15, 0xD110),
    PG16(16, 0xD113),
    PG17(17, 0xD116),
    PG18(18, 0xD118);

    private final int major;
    private final int magic;

    WalFormat(int major, int magic) {
        this.major = major;
        this.magic = magic;
    }

    /// The format with this page magic, if it is a supported one.
    public static Optional<WalFormat> ofMagic(int magic) {
        for (WalFormat format : values()) {
            if (format.magic == magic) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }

    /// @param major PostgreSQL's major version
    /// @throws MainstayException SERVER_VERSION_UNSUPPORTED for any other than 14 to 18
    public static WalFormat ofMajor(int major) {
        for (WalFormat format : values()) {
            if (format.major == major) {
                return format;
            }
        }
        throw new MainstayException(
                ErrorCode.SERVER_VERSION_UNSUPPORTED,
                "the WAL of PostgreSQL " + major + " is not known");
    }

    /// PostgreSQL's major version.
    public int major() {
        return major;
    }

    /// The number in the first two bytes of every page.
    public int magic() {
        return magic;
    }

    /// Resource managers of extensions (ids from 128) exist.
    boolean hasCustomManagers() {
        return major >= 15;
    }

    /// Flag bits of a page image mean what they mean since 15: apply 2, pglz 4, lz4 8, zstd 16.
    boolean hasImageCompressionMethods() {
        return major >= 15;
    }

    /// CREATE DATABASE can log each block, and its record types are numbered anew.
    boolean hasLoggedDatabaseCreation() {
        return major >= 15;
    }

    /// Commit and abort records list dropped statistics entries.
    boolean hasDroppedStatistics() {
        return major >= 15;
    }

    int droppedStatisticsBytes() {
        return major >= 18 ? 16 : 12;
    }

    /// Length of the fixed part of a prepare record.
    int prepareHeaderBytes() {
        return major >= 15 ? 72 : 64;
    }
}
