package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.cluster.BackupManifest.WalRange;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;

class BackupManifestTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.999Z");
    private static final WalRange RANGE = range(1, "0/2000028", "0/2000100");
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private static WalRange range(int timeline, String start, String end) {
        return new WalRange(TimelineId.of(timeline), Lsn.parse(start), Lsn.parse(end));
    }

    private BackupManifest open(ServerVersion version) throws IOException {
        return BackupManifest.open(bytes, version, SystemId.of(-1));
    }

    private String text() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void looksAsPostgresWritesItByteForByte() throws IOException, NoSuchAlgorithmException {
        BackupManifest manifest = open(ServerVersion.V17);
        manifest.add("backup_label", 225, TIME, 0x0102_03f4);
        manifest.add("base/1/1259", 0, TIME, 0);
        manifest.finish(List.of(RANGE));
        String body =
                """
                { "PostgreSQL-Backup-Manifest-Version": 2,
                "System-Identifier": 18446744073709551615,
                "Files": [
                { "Path": "backup_label", "Size": 225, "Last-Modified": "2026-01-02 03:04:05 GMT", \
                "Checksum-Algorithm": "CRC32C", "Checksum": "f4030201" },
                { "Path": "base/1/1259", "Size": 0, "Last-Modified": "2026-01-02 03:04:05 GMT", \
                "Checksum-Algorithm": "CRC32C", "Checksum": "00000000" }
                ],
                "WAL-Ranges": [
                { "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000100" }
                ],
                """;
        byte[] sum =
                MessageDigest.getInstance("SHA-256").digest(body.getBytes(StandardCharsets.UTF_8));
        assertThat(text())
                .isEqualTo(
                        body
                                + "\"Manifest-Checksum\": \""
                                + HexFormat.of().formatHex(sum)
                                + "\"}\n");
    }

    @Test
    void versionOneNamesNoSystem() throws IOException {
        open(ServerVersion.V16).finish(List.of(RANGE));
        assertThat(text())
                .startsWith("{ \"PostgreSQL-Backup-Manifest-Version\": 1,\n\"Files\": [\n],\n");
    }

    @Test
    void namesThatAreNoTextAreEncoded() throws IOException {
        BackupManifest manifest = open(ServerVersion.V15);
        manifest.add(new byte[] {'a', (byte) 0xff, '/', 'b'}, 1, TIME, 1);
        manifest.add("a \"quoted\" back\\slash\nline ü 😀", 1, TIME, 1);
        assertThat(text())
                .contains("{ \"Encoded-Path\": \"61ff2f62\", \"Size\": 1,")
                .contains("\"Path\": \"a \\\"quoted\\\" back\\\\slash\\u000aline ü 😀\", \"Size\"");
    }

    @Test
    void leavesOutWhatNoReaderExpects() throws IOException {
        BackupManifest manifest = open(ServerVersion.V15);
        List<String> unlisted =
                List.of(
                        "backup_manifest",
                        "pg_wal/000000010000000000000001",
                        "pg_wal/archive_status/000000010000000000000001.done",
                        "postgresql.auto.conf",
                        "recovery.signal",
                        "standby.signal");
        for (String path : unlisted) {
            assertThat(BackupManifest.isListed(path)).as(path).isFalse();
            manifest.add(path, 1, TIME, 1);
        }
        assertThat(text()).doesNotContain("Path");
        assertThat(List.of("pg_walrus", "tablespace_map", "global/pg_control", "base/pg_wal"))
                .allMatch(BackupManifest::isListed);
    }

    @Test
    void walOfSeveralTimelinesFollowsWithoutGapsNewestFirst() throws IOException {
        WalRange newer = range(3, "0/2000100", "0/3000000");
        open(ServerVersion.V15).finish(List.of(newer, RANGE));
        assertThat(text())
                .contains(
                        "{ \"Timeline\": 3, \"Start-LSN\": \"0/2000100\", \"End-LSN\":"
                                + " \"0/3000000\" },\n{ \"Timeline\": 1,");
        for (List<WalRange> wrong :
                List.of(
                        List.<WalRange>of(),
                        List.of(RANGE, newer),
                        List.of(range(3, "0/2000200", "0/3000000"), RANGE))) {
            BackupManifest manifest = open(ServerVersion.V15);
            assertThatThrownBy(() -> manifest.finish(wrong))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void refusesWhatCannotBeAFile() throws IOException {
        BackupManifest manifest = open(ServerVersion.V15);
        for (String path : List.of("", "/etc/passwd", "lone \ud800 surrogate")) {
            assertThatThrownBy(() -> manifest.add(path, 1, TIME, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        manifest.finish(List.of(RANGE));
        assertThatThrownBy(() -> manifest.add("late", 1, TIME, 1))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> manifest.finish(List.of(RANGE)))
                .isInstanceOf(IllegalStateException.class);
    }
}
