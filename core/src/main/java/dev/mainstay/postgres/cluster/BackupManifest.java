package dev.mainstay.postgres.cluster;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// Writes the file `backup_manifest` of PostgreSQL's own base backups (doc: "Backup Manifest
/// Format"), by which `pg_verifybackup` judges a directory before its first start.
///
/// Version 1 of the format belongs to PostgreSQL 14 to 16; version 2 (17 and later) also names the
/// system identifier. A file is one line, and the last line holds SHA-256 of all bytes before it: a
/// manifest that was not [finished][#finish] is refused by every reader.
///
/// Nothing is kept but the running digest, so that any number of files may be added. Syncing and
/// closing the stream is the caller's business. For one thread.
public final class BackupManifest {
    public static final String FILE_NAME = "backup_manifest";

    /// WAL that has to be replayed on one timeline before the backup is consistent.
    public record WalRange(TimelineId timeline, Lsn start, Lsn end) {
        public WalRange {
            if (end.isBefore(start)) {
                throw new IllegalArgumentException("WAL from " + start + " back to " + end);
            }
        }
    }

    /// Readers neither expect nor check them; restoring writes or changes them.
    private static final Set<String> UNLISTED =
            Set.of(
                    FILE_NAME,
                    "pg_wal",
                    "postgresql.auto.conf",
                    "recovery.signal",
                    "standby.signal");

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss 'GMT'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final OutputStream out;
    private final MessageDigest digest;
    private String separator = "\n";
    private boolean finished;

    private BackupManifest(OutputStream out) {
        this.out = out;
        try {
            this.digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
    }

    /// Begins a manifest.
    ///
    /// @param out should be buffered
    /// @param version of the server that was backed up; decides on the format
    public static BackupManifest open(OutputStream out, ServerVersion version, SystemId systemId)
            throws IOException {
        BackupManifest manifest = new BackupManifest(out);
        int format = version.manifestVersion();
        manifest.print("{ \"PostgreSQL-Backup-Manifest-Version\": " + format + ",\n");
        if (format >= 2) {
            manifest.print("\"System-Identifier\": " + systemId + ",\n");
        }
        manifest.print("\"Files\": [");
        return manifest;
    }

    /// Whether a manifest names this file; [#add] passes over the others.
    ///
    /// @param path below the data directory, parted by `/`
    public static boolean isListed(String path) {
        int slash = path.indexOf('/');
        return !UNLISTED.contains(slash < 0 ? path : path.substring(0, slash));
    }

    /// Adds a file; each only once. Directories are not listed.
    ///
    /// @param path below the data directory, parted by `/`; files in tablespaces stand below
    ///   `pg_tblspc/OID/PG_…`
    /// @param crc32c of all bytes, as [java.util.zip.CRC32C] has it
    public void add(String path, long sizeBytes, Instant modified, int crc32c) throws IOException {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(path));
            byte[] name = new byte[bytes.remaining()];
            bytes.get(name);
            add(name, sizeBytes, modified, crc32c);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("no file can have the name '" + path + "'", e);
        }
    }

    /// The same with a name as the file system has it, which may be no UTF-8.
    public void add(byte[] path, long sizeBytes, Instant modified, int crc32c) throws IOException {
        if (finished) {
            throw new IllegalStateException("the manifest is finished");
        }
        if (path.length == 0 || path[0] == '/' || sizeBytes < 0) {
            String name = new String(path, StandardCharsets.UTF_8);
            throw new IllegalArgumentException("'" + name + "' of " + sizeBytes + " bytes");
        }
        if (!isListed(new String(path, StandardCharsets.ISO_8859_1))) {
            return;
        }
        print(
                separator
                        + "{ "
                        + pathField(path)
                        + ", \"Size\": "
                        + sizeBytes
                        + ", \"Last-Modified\": \""
                        + TIME.format(modified)
                        + "\", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \""
                        + HexFormat.of().toHexDigits(inMemoryOrder(crc32c))
                        + "\" }");
        separator = ",\n";
    }

    /// Ends the manifest and flushes the stream.
    ///
    /// @param ranges without a gap from the backup's start to its end, newest timeline first
    public void finish(List<WalRange> ranges) throws IOException {
        if (finished) {
            throw new IllegalStateException("the manifest is finished");
        }
        requireContinuous(ranges);
        finished = true;
        print("\n],\n\"WAL-Ranges\": [\n");
        String before = "";
        for (WalRange range : ranges) {
            print(
                    before
                            + "{ \"Timeline\": "
                            + range.timeline
                            + ", \"Start-LSN\": \""
                            + range.start
                            + "\", \"End-LSN\": \""
                            + range.end
                            + "\" }");
            before = ",\n";
        }
        print("\n],\n");
        String sum = HexFormat.of().formatHex(digest.digest());
        String last = "\"Manifest-Checksum\": \"" + sum + "\"}\n";
        out.write(last.getBytes(StandardCharsets.US_ASCII));
        out.flush();
    }

    private static void requireContinuous(List<WalRange> ranges) {
        if (ranges.isEmpty()) {
            throw new IllegalArgumentException("every backup needs WAL");
        }
        for (int i = 1; i < ranges.size(); i++) {
            WalRange newer = ranges.get(i - 1);
            WalRange older = ranges.get(i);
            if (!older.end.equals(newer.start) || older.timeline.compareTo(newer.timeline) >= 0) {
                throw new IllegalArgumentException(newer + " does not follow " + older);
            }
        }
    }

    /// PostgreSQL prints the four bytes as they lie in the memory of a little-endian machine.
    private static int inMemoryOrder(int crc32c) {
        return Integer.reverseBytes(crc32c);
    }

    private static String pathField(byte[] path) {
        try {
            CharSequence text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(path));
            return "\"Path\": " + quote(text);
        } catch (CharacterCodingException noUtf8) {
            return "\"Encoded-Path\": \"" + HexFormat.of().formatHex(path) + "\"";
        }
    }

    private static String quote(CharSequence text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append("\\u").append(HexFormat.of().toHexDigits(c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    private void print(String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(bytes);
        out.write(bytes);
    }
}
