package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

final class ControlFileTest {
    @TempDir Path directory;

    @ParameterizedTest
    @ValueSource(ints = {1300, 1700, 1800})
    void every_field_is_read_from_its_place(int version) {
        ControlFile file = ControlFile.parse(sealed(image(version)));
        assertThat(file.systemId()).isEqualTo(SystemId.parse("18000000000000000001"));
        assertThat(file.controlVersion()).isEqualTo(version);
        assertThat(file.catalogVersion()).isEqualTo(202209061);
        assertThat(file.state()).isEqualTo(ControlFile.State.IN_ARCHIVE_RECOVERY);
        assertThat(file.updated()).isEqualTo(Instant.ofEpochSecond(1_700_000_000));
        assertThat(file.checkpoint())
                .isEqualTo(
                        new ControlFile.Checkpoint(
                                Lsn.parse("1/28"),
                                Lsn.parse("1/20"),
                                TimelineId.of(3),
                                TimelineId.of(2),
                                true,
                                0x7_0000_0309L,
                                Instant.ofEpochSecond(1_600_000_000)));
        assertThat(file.checkpoint().nextXid()).isEqualTo(0x309);
        assertThat(file.recovery())
                .isEqualTo(
                        new ControlFile.Recovery(
                                Lsn.parse("1/AA"),
                                Optional.of(TimelineId.of(4)),
                                Lsn.parse("1/BB"),
                                Lsn.parse("1/CC"),
                                true));
        assertThat(file.minima())
                .isEqualTo(
                        new ControlFile.Minima(
                                ControlFile.WalLevel.LOGICAL, true, 101, 8, 10, 5, 64, true));
        assertThat(file.layout()).isEqualTo(new ControlFile.Layout(8192, 131072, 8192, 1 << 24, 8));
        assertThat(file.hasDataChecksums()).isTrue();
    }

    @Test
    void one_wrong_bit_anywhere_is_noticed() {
        byte[] good = sealed(image(1800));
        for (int at = 0; at < 296; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x10;
            refused(bad);
        }
    }

    @Test
    void foreign_files_are_named_for_what_they_are() {
        refused(new byte[0]).hasMessageContaining("0 bytes");
        refused(new byte[8192]).hasMessageContaining("version 0 is not supported");
        ByteBuffer big = image(1300);
        big.putInt(8, Integer.reverseBytes(1300));
        refused(sealed(big)).hasMessageContaining("big-endian");
        ByteBuffer align = image(1300);
        align.putInt(204, 4);
        refused(sealed(align)).hasMessageContaining("another architecture");
        ByteBuffer blocks = image(1300);
        blocks.putInt(216, 1000);
        refused(sealed(blocks)).hasMessageContaining("impossible block size 1000");
        ByteBuffer state = image(1300);
        state.putInt(16, 7);
        refused(sealed(state)).hasMessageContaining("unknown state 7");
        ByteBuffer timeline = image(1300);
        timeline.putInt(48, 0);
        refused(sealed(timeline)).hasMessageContaining("timeline 0");
    }

    @Test
    void a_file_that_is_being_written_is_read_again() throws IOException {
        byte[] good = sealed(image(1300));
        byte[] torn = good.clone();
        torn[100]++;
        write(torn);
        List<Integer> attempts = new ArrayList<>();
        Waiter waiter =
                attempt -> {
                    attempts.add(attempt);
                    if (attempt == 3) {
                        write(good);
                    }
                };
        assertThat(ControlFile.readBytes(directory, waiter)).isEqualTo(good);
        assertThat(attempts).containsExactly(1, 2, 3);
    }

    @Test
    void a_file_that_stays_damaged_is_given_up() throws IOException {
        byte[] torn = sealed(image(1300));
        torn[100]++;
        write(torn);
        List<Integer> attempts = new ArrayList<>();
        assertThatThrownBy(() -> ControlFile.read(directory, attempts::add))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.BACKUP_CONTROL_FILE))
                .hasMessageContaining("its CRC does not hold");
        assertThat(attempts).hasSize(9);
    }

    private static org.assertj.core.api.AbstractThrowableAssert<?, ?> refused(byte[] bytes) {
        return assertThatThrownBy(() -> ControlFile.parse(bytes))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.BACKUP_CONTROL_FILE));
    }

    private void write(byte[] bytes) {
        try {
            Path file = directory.resolve(ControlFile.PATH);
            Files.createDirectories(directory.resolve("global"));
            Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ByteBuffer image(int version) {
        ByteBuffer out = ByteBuffer.allocate(ControlFile.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(0, Long.parseUnsignedLong("18000000000000000001"));
        out.putInt(8, version).putInt(12, 202209061).putInt(16, 5).putLong(24, 1_700_000_000L);
        out.putLong(32, 0x1_0000_0028L).putLong(40, 0x1_0000_0020L);
        out.putInt(48, 3).putInt(52, 2).put(56, (byte) 1).putLong(64, 0x7_0000_0309L);
        out.putLong(104, 1_600_000_000L);
        out.putLong(136, 0x1_0000_00AAL).putInt(144, 4);
        out.putLong(152, 0x1_0000_00BBL).putLong(160, 0x1_0000_00CCL).put(168, (byte) 1);
        out.putInt(172, 2).put(176, (byte) 1).putInt(180, 101).putInt(184, 8).putInt(188, 10);
        out.putInt(192, 5).putInt(196, 64).put(200, (byte) 1);
        out.putInt(204, 8).putDouble(208, 1234567.0);
        out.putInt(216, 8192).putInt(220, 131072).putInt(224, 8192).putInt(228, 1 << 24);
        return out.putInt(252, 1);
    }

    private static byte[] sealed(ByteBuffer image) {
        int crcOffset = image.getInt(8) == 1800 ? 292 : 288;
        byte[] bytes = new byte[ControlFile.SIZE_BYTES];
        image.get(0, bytes);
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, crcOffset);
        ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(crcOffset, (int) crc.getValue());
        return bytes;
    }
}
