package dev.mainstay.postgres.protocol;

import dev.mainstay.base.ByteSize;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What a `BASE_BACKUP` is asked for. The server makes a checkpoint at once, checks pages while it
/// reads them, sends a manifest with CRC-32C of every file, a `tablespace_map` instead of links, no
/// WAL, and does not wait for its archive.
///
/// @param label one line of printable text; ends up in `backup_label`
/// @param maxRate what the server may send a second
/// @param incremental only what changed since the backup whose manifest was uploaded before
///   ([ReplicationConnection#uploadManifest]); from 17 on
public record BaseBackupRequest(String label, Optional<ByteSize> maxRate, boolean incremental) {
    /// What the protocol can say, in KiB a second.
    private static final long SLOWEST_KIB = 32;

    private static final long FASTEST_KIB = 1 << 20;

    public BaseBackupRequest {
        if (label.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("a backup label is one line of text");
        }
    }

    public BaseBackupRequest(String label, Optional<ByteSize> maxRate) {
        this(label, maxRate, false);
    }

    /// From 15 on options stand in parentheses; before, they are keywords.
    String command(int serverMajor) {
        String quoted = "'" + label.replace("'", "''") + "'";
        if (serverMajor < 15) {
            return "BASE_BACKUP LABEL "
                    + quoted
                    + " PROGRESS FAST NOWAIT"
                    + rateKib().map(rate -> " MAX_RATE " + rate).orElse("")
                    + " TABLESPACE_MAP MANIFEST 'yes' MANIFEST_CHECKSUMS 'CRC32C'";
        }
        List<String> options = new ArrayList<>();
        options.add("LABEL " + quoted);
        options.add("PROGRESS");
        options.add("CHECKPOINT 'fast'");
        options.add("WAIT 0");
        rateKib().ifPresent(rate -> options.add("MAX_RATE " + rate));
        options.add("TABLESPACE_MAP");
        options.add("MANIFEST 'yes'");
        options.add("MANIFEST_CHECKSUMS 'CRC32C'");
        if (incremental) {
            options.add("INCREMENTAL");
        }
        return "BASE_BACKUP (" + String.join(", ", options) + ")";
    }

    private Optional<Long> rateKib() {
        return maxRate.map(rate -> Math.clamp(rate.bytes() / 1024, SLOWEST_KIB, FASTEST_KIB));
    }
}
