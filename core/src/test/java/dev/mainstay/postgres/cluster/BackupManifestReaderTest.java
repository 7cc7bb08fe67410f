package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.cluster.BackupManifest.WalRange;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class BackupManifestReaderTest {
    private static final WalRange RANGE =
            new WalRange(TimelineId.of(1), Lsn.parse("0/2000028"), Lsn.parse("0/2000100"));

    private static byte[] manifest(ServerVersion version) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            BackupManifest manifest = BackupManifest.open(bytes, version, SystemId.of(-7));
            manifest.add("backup_label", 225, Instant.EPOCH, 0x0102_03f4);
            manifest.add("base/1/12\"59\\\u00e4", 1L << 40, Instant.EPOCH, -1);
            manifest.finish(List.of(RANGE));
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
        return bytes.toByteArray();
    }

    private static List<String> read(InputStream in, Optional<SystemId> system) {
        List<String> files = new ArrayList<>();
        BackupManifestReader.Summary summary =
                BackupManifestReader.read(
                        in, (path, size, crc) -> files.add(path + " " + size + " " + crc));
        assertThat(summary).isEqualTo(new BackupManifestReader.Summary(system, List.of(RANGE)));
        return files;
    }

    @ParameterizedTest
    @EnumSource(ServerVersion.class)
    void readsWhatIsWritten(ServerVersion version) {
        Optional<SystemId> system =
                version.manifestVersion() == 1 ? Optional.empty() : Optional.of(SystemId.of(-7));
        byte[] manifest = manifest(version);
        List<String> expected =
                List.of(
                        "backup_label 225 " + 0x0102_03f4,
                        "base/1/12\"59\\\u00e4 " + (1L << 40) + " -1");
        assertThat(read(new ByteArrayInputStream(manifest), system)).isEqualTo(expected);
        for (int seed = 0; seed < 50; seed++) {
            assertThat(read(new Crumbs(manifest, seed), system)).isEqualTo(expected);
        }
    }

    /// A few bytes at a time.
    private static final class Crumbs extends ByteArrayInputStream {
        private final Random random;

        Crumbs(byte[] bytes, long seed) {
            super(bytes);
            random = new Random(seed);
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            return super.read(into, offset, Math.min(length, 1 + random.nextInt(9)));
        }
    }

    @Test
    void anyChangedByteAndAnyCutIsNoticed() {
        byte[] manifest = manifest(ServerVersion.V18);
        for (int at = 0; at < manifest.length; at++) {
            byte[] changed = manifest.clone();
            changed[at] ^= 1;
            if (at < manifest.length - 1) { // the last line feed means nothing
                refused(changed);
            }
            if (at < manifest.length - 2) {
                refused(Arrays.copyOf(manifest, at));
            }
        }
        byte[] more = Arrays.copyOf(manifest, manifest.length + 1);
        more[manifest.length] = 'x';
        refused(more);
    }

    private static void refused(byte[] manifest) {
        assertThatThrownBy(
                        () ->
                                BackupManifestReader.read(
                                        new ByteArrayInputStream(manifest), (_, _, _) -> {}))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> assertThat(wrong.code()).isEqualTo(ErrorCode.SERVER_PROTOCOL));
    }
}
