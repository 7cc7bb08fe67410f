package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.Lsn;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;

/// That the algorithm is PostgreSQL's is shown on pages of real servers, in the test kit.
final class PageChecksumTest {
    private final Random random = new Random(20261121);

    @ParameterizedTest
    @ValueSource(ints = {1024, 2048, 8192, 32768})
    void it_depends_on_every_bit_but_those_of_its_own_field(int blockSize) {
        byte[] page = page(blockSize);
        int expected = PageChecksum.of(page, 0, blockSize, 7);
        for (int n = 0; n < 2000; n++) {
            int bit = random.nextInt(blockSize * 8);
            byte[] other = page.clone();
            other[bit / 8] ^= (byte) (1 << bit % 8);
            int found = PageChecksum.of(other, 0, blockSize, 7);
            boolean ownField = bit / 16 == 4;
            if (ownField) {
                assertThat(found).isEqualTo(expected);
            } else {
                assertThat(found).as("bit %s", bit).isNotEqualTo(expected);
            }
        }
        assertThat(PageChecksum.of(page, 0, blockSize, 8)).isNotEqualTo(expected);
    }

    @Test
    void it_does_not_depend_on_where_in_the_buffer_the_page_lies() {
        byte[] page = page(8192);
        byte[] run = new byte[3 * 8192 + 13];
        System.arraycopy(page, 0, run, 8192 + 13, 8192);
        assertThat(PageChecksum.of(run, 8192 + 13, 8192, 3))
                .isEqualTo(PageChecksum.of(page, 0, 8192, 3))
                .isBetween(1, 65535);
    }

    @Test
    void impossible_sizes_are_refused() {
        assertThatThrownBy(() -> PageChecksum.of(new byte[100], 0, 100, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void pages_are_sound_new_or_damaged() {
        byte[] page = page(8192);
        int expected = PageChecksum.of(page, 0, 8192, 5);
        ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN).putShort(8, (short) expected);
        assertThat(PageCheck.verify(page, 0, 8192, 5)).isInstanceOf(PageCheck.Ok.class);
        assertThat(PageCheck.verify(page, 0, 8192, 6).sound()).isFalse();
        assertThat(PageCheck.lsn(page, 0)).isEqualTo(Lsn.parse("7/ABCDEF01"));

        assertThat(PageCheck.verify(new byte[8192], 0, 8192, 5)).isInstanceOf(PageCheck.New.class);
        byte[] nearlyNew = new byte[8192];
        nearlyNew[8191] = 1;
        assertThat(PageCheck.isNew(nearlyNew, 0)).isTrue();
        assertThat(PageCheck.verify(nearlyNew, 0, 8192, 5))
                .isInstanceOfSatisfying(
                        PageCheck.Mismatch.class, m -> assertThat(m.found()).isZero());
        int sum = PageChecksum.of(nearlyNew, 0, 8192, 5);
        ByteBuffer.wrap(nearlyNew).order(ByteOrder.LITTLE_ENDIAN).putShort(8, (short) sum);
        assertThat(PageCheck.verify(nearlyNew, 0, 8192, 5).sound())
                .as("a page that says it is new and is not zero is damaged, whatever it carries")
                .isFalse();
    }

    private byte[] page(int blockSize) {
        byte[] page = new byte[blockSize];
        random.nextBytes(page);
        ByteBuffer.wrap(page)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(0, 7)
                .putInt(4, 0xABCDEF01)
                .putShort(14, (short) 4000);
        return page;
    }
}
