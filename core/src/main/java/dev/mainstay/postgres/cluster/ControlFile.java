package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.zip.CRC32C;

/// What `global/pg_control` says about a cluster (src/include/catalog/pg_control.h, versions 1300,
/// 1700 and 1800). The file is the C structure in the memory layout of the host that wrote it: only
/// little-endian 64-bit ones are read. A CRC-32C over all fields stands after the last one; the
/// file is zero-padded to 8192 bytes.
///
/// @param catalogVersion of the system catalogs; part of every tablespace directory's name
/// @param updated when the server wrote the file last
/// @param dataChecksumVersion 0 without data checksums
public record ControlFile(
        SystemId systemId,
        int controlVersion,
        int catalogVersion,
        State state,
        Instant updated,
        Checkpoint checkpoint,
        Recovery recovery,
        Minima minima,
        Layout layout,
        int dataChecksumVersion) {
    /// Below the data directory.
    public static final String PATH = "global/pg_control";

    /// Size of the file in every version.
    public static final int SIZE_BYTES = 8192;

    private static final int ATTEMPTS = 10;
    private static final double FLOAT_FORMAT = 1234567.0;

    /// What the server was doing when it wrote the file; in the order of `DBState`.
    public enum State {
        STARTUP,
        SHUT_DOWN,
        SHUT_DOWN_IN_RECOVERY,
        SHUTTING_DOWN,
        IN_CRASH_RECOVERY,
        IN_ARCHIVE_RECOVERY,
        IN_PRODUCTION
    }

    /// In the order of the setting's values.
    public enum WalLevel {
        MINIMAL,
        REPLICA,
        LOGICAL
    }

    /// The latest checkpoint.
    ///
    /// @param redo where replay starts
    /// @param nextFullXid with the epoch in the upper half
    public record Checkpoint(
            Lsn lsn,
            Lsn redo,
            TimelineId timeline,
            TimelineId previousTimeline,
            boolean fullPageWrites,
            long nextFullXid,
            Instant time) {
        public int nextXid() {
            return (int) nextFullXid;
        }
    }

    /// How far replay must come before the cluster is consistent; all [Lsn#NONE] in production.
    public record Recovery(
            Lsn minRecoveryPoint,
            Optional<TimelineId> minRecoveryTimeline,
            Lsn backupStart,
            Lsn backupEnd,
            boolean backupEndRequired) {}

    /// Settings of the primary, which a standby or a restored server must not undercut.
    public record Minima(
            WalLevel walLevel,
            boolean walLogHints,
            int maxConnections,
            int maxWorkerProcesses,
            int maxWalSenders,
            int maxPreparedTransactions,
            int maxLocksPerTransaction,
            boolean trackCommitTimestamp) {}

    /// Sizes that were chosen at compile time or by initdb.
    ///
    /// @param relationSegmentBlocks pages in a full segment file of a relation
    public record Layout(
            int blockSizeBytes,
            int relationSegmentBlocks,
            int walBlockSizeBytes,
            int walSegmentSizeBytes,
            int maxAlign) {}

    /// Whether pages carry checksums.
    public boolean hasDataChecksums() {
        return dataChecksumVersion != 0;
    }

    /// Reads the file of a data directory.
    ///
    /// @throws MainstayException as [#readBytes] and [#parse] do
    public static ControlFile read(Path dataDirectory, Waiter waiter) {
        return parse(readBytes(dataDirectory, waiter));
    }

    /// The bytes of the file, read until their CRC holds: the server writes them while others read.
    ///
    /// @throws MainstayException BACKUP_CONTROL_FILE if it cannot be read, or is still damaged
    ///   after ten attempts
    public static byte[] readBytes(Path dataDirectory, Waiter waiter) {
        Path file = dataDirectory.resolve(PATH);
        for (int attempt = 1; ; attempt++) {
            byte[] bytes;
            try (InputStream in = Files.newInputStream(file)) {
                bytes = in.readNBytes(SIZE_BYTES);
            } catch (IOException e) {
                throw new MainstayException(
                        ErrorCode.BACKUP_CONTROL_FILE, "cannot read " + file + ": " + e, e);
            }
            Optional<String> fault = fault(bytes);
            if (fault.isEmpty()) {
                return bytes;
            }
            if (attempt == ATTEMPTS) {
                throw invalid(file + ": " + fault.get());
            }
            waiter.await(attempt);
        }
    }

    /// @throws MainstayException BACKUP_CONTROL_FILE if the bytes are no undamaged control file of
    ///   a supported version
    public static ControlFile parse(byte[] bytes) {
        fault(bytes)
                .ifPresent(
                        fault -> {
                            throw invalid("pg_control: " + fault);
                        });
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getDouble(208) != FLOAT_FORMAT || in.getInt(204) != 8) {
            throw invalid("pg_control was written on a machine of another architecture");
        }
        try {
            return new ControlFile(
                    SystemId.of(in.getLong(0)),
                    in.getInt(8),
                    in.getInt(12),
                    constant(State.values(), in.getInt(16), "state"),
                    Instant.ofEpochSecond(in.getLong(24)),
                    checkpoint(in),
                    recovery(in),
                    minima(in),
                    layout(in),
                    in.getInt(252));
        } catch (IllegalArgumentException e) {
            throw new MainstayException(
                    ErrorCode.BACKUP_CONTROL_FILE, "pg_control: " + e.getMessage(), e);
        }
    }

    private static Checkpoint checkpoint(ByteBuffer in) {
        return new Checkpoint(
                Lsn.of(in.getLong(32)),
                Lsn.of(in.getLong(40)),
                TimelineId.of(in.getInt(48)),
                TimelineId.of(in.getInt(52)),
                in.get(56) != 0,
                in.getLong(64),
                Instant.ofEpochSecond(in.getLong(104)));
    }

    private static Recovery recovery(ByteBuffer in) {
        int timeline = in.getInt(144);
        return new Recovery(
                Lsn.of(in.getLong(136)),
                timeline == 0 ? Optional.empty() : Optional.of(TimelineId.of(timeline)),
                Lsn.of(in.getLong(152)),
                Lsn.of(in.getLong(160)),
                in.get(168) != 0);
    }

    private static Minima minima(ByteBuffer in) {
        return new Minima(
                constant(WalLevel.values(), in.getInt(172), "wal_level"),
                in.get(176) != 0,
                in.getInt(180),
                in.getInt(184),
                in.getInt(188),
                in.getInt(192),
                in.getInt(196),
                in.get(200) != 0);
    }

    private static Layout layout(ByteBuffer in) {
        return new Layout(
                powerOfTwo(in.getInt(216), 1 << 10, 1 << 15, "block size"),
                positive(in.getInt(220), "relation segment size"),
                powerOfTwo(in.getInt(224), 1 << 10, 1 << 16, "WAL block size"),
                powerOfTwo(in.getInt(228), 1 << 20, 1 << 30, "WAL segment size"),
                in.getInt(204));
    }

    private static Optional<String> fault(byte[] bytes) {
        if (bytes.length < 512) {
            return Optional.of("only " + bytes.length + " bytes long");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int version = in.getInt(8);
        Optional<Integer> crcOffset = ServerVersion.controlCrcOffset(version);
        if (crcOffset.isEmpty()) {
            boolean swapped =
                    ServerVersion.controlCrcOffset(Integer.reverseBytes(version)).isPresent();
            return Optional.of(
                    swapped
                            ? "written on a big-endian machine"
                            : "pg_control_version " + version + " is not supported");
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, crcOffset.get());
        return (int) crc.getValue() == in.getInt(crcOffset.get())
                ? Optional.empty()
                : Optional.of("its CRC does not hold");
    }

    private static <T> T constant(T[] constants, int number, String what) {
        if (number < 0 || number >= constants.length) {
            throw new IllegalArgumentException("unknown " + what + " " + number);
        }
        return constants[number];
    }

    private static int positive(int value, String what) {
        if (value <= 0) {
            throw new IllegalArgumentException("impossible " + what + " " + value);
        }
        return value;
    }

    private static int powerOfTwo(int value, int least, int most, String what) {
        if (Integer.bitCount(value) != 1 || value < least || value > most) {
            throw new IllegalArgumentException("impossible " + what + " " + value);
        }
        return value;
    }

    private static MainstayException invalid(String message) {
        return new MainstayException(ErrorCode.BACKUP_CONTROL_FILE, message);
    }
}
