package dev.mainstay.engine.restore;

import dev.mainstay.base.Lsn;
import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.postgres.cluster.ServerVersion;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.Locale;

/// Writes `backup_manifest` as PostgreSQL's own base backups have it
/// (doc/src/sgml/backup-manifest.sgml), so that `pg_verifybackup` can judge a restored directory
/// before its first start. Written one file at a time.
final class ManifestFile implements AutoCloseable {
    static final String NAME = "backup_manifest";

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss 'GMT'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final FileOutputStream file;
    private final MessageDigest digest;
    private final DigestOutputStream out;
    private String separator = "\n";

    ManifestFile(Path existing, BackupDetails details) throws IOException {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new AssertionError(everyJdkHasIt);
        }
        file = new FileOutputStream(existing.toFile());
        out = new DigestOutputStream(new BufferedOutputStream(file, 1 << 16), digest);
        int version =
                ServerVersion.ofServerVersionNum(details.server().versionNum()).manifestVersion();
        print("{ \"PostgreSQL-Backup-Manifest-Version\": " + version + ",\n");
        if (version >= 2) {
            print("\"System-Identifier\": " + details.systemId() + ",\n");
        }
        print("\"Files\": [");
    }

    private void print(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /// @param crc32c of the content
    void add(String path, long sizeBytes, Instant modified, int crc32c) throws IOException {
        print(
                separator
                        + "{ \"Path\": "
                        + quote(path)
                        + ", \"Size\": "
                        + sizeBytes
                        + ", \"Last-Modified\": \""
                        + TIME.format(modified)
                        + "\", \"Checksum-Algorithm\": \"CRC32C\", \"Checksum\": \""
                        + HexFormat.of().toHexDigits(Integer.reverseBytes(crc32c))
                        + "\" }");
        separator = ",\n";
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    /// Ends the file and syncs it; nothing can be added any more.
    void finish(BackupDetails details) throws IOException {
        Lsn start = details.startLsn();
        print(
                "\n],\n\"WAL-Ranges\": [\n{ \"Timeline\": "
                        + details.timeline()
                        + ", \"Start-LSN\": \""
                        + start
                        + "\", \"End-LSN\": \""
                        + details.stopLsn()
                        + "\" }\n],\n");
        String sum = HexFormat.of().formatHex(digest.digest());
        print("\"Manifest-Checksum\": \"" + sum + "\"}\n");
        out.flush();
        file.getChannel().force(true);
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
