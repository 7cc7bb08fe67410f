package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

class IncrementalHeaderTest {
    private static final int BLOCK = 8192;
    private static final int SEGMENT = 100;
    private static final int MAGIC = 0xD3AE1F0D;

    private static byte[] file(int magic, int truncation, int... blocks) {
        int head = 12 + 4 * blocks.length;
        int padded = blocks.length == 0 ? head : (head + BLOCK - 1) / BLOCK * BLOCK;
        ByteBuffer file =
                ByteBuffer.allocate(padded + blocks.length * BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(magic).putInt(blocks.length).putInt(truncation);
        for (int block : blocks) {
            file.putInt(block);
        }
        return file.array();
    }

    private static IncrementalHeader read(byte[] file, long size) {
        ByteArrayInputStream in = new ByteArrayInputStream(file);
        IncrementalHeader header =
                IncrementalHeader.read(
                        (into, offset, length) -> Math.max(0, in.read(into, offset, length)),
                        size,
                        BLOCK,
                        SEGMENT);
        assertThat(in.available()).isEqualTo(header.count() * BLOCK);
        return header;
    }

    private static IncrementalHeader read(byte[] file) {
        return read(file, file.length);
    }

    @Test
    void pagesFollowThePadding() {
        IncrementalHeader header = read(file(MAGIC, 7, 2, 3, 6));
        assertThat(header.pages()).isEqualTo(7);
        assertThat(header.truncation()).isEqualTo(7);
        assertThat(header.next(0, 7)).isEqualTo(2);
        assertThat(header.next(4, 7)).isEqualTo(6);
        assertThat(header.next(4, 6)).isEqualTo(6);
        assertThat(header.next(7, 9)).isEqualTo(9);
        assertThat(header.has(3)).isTrue();
        assertThat(header.has(4)).isFalse();
        assertThat(header.countBefore(3)).isEqualTo(1);
        assertThat(header.countBefore(100)).isEqualTo(3);
    }

    @Test
    void withoutPagesThereIsNoPadding() {
        byte[] file = file(MAGIC, 5);
        assertThat(file).hasSize(12);
        assertThat(read(file).pages()).isEqualTo(5);
        assertThat(read(file).next(0, 5)).isEqualTo(5);
    }

    @Test
    void theFileIsAsLongAsItsLastPageNeeds() {
        assertThat(read(file(MAGIC, 3, 1, 8)).pages()).isEqualTo(9);
    }

    /// Early servers name a length that reaches into the relation's next file.
    @Test
    void noFileIsLongerThanASegment() {
        assertThat(read(file(MAGIC, 5000, 1)).pages()).isEqualTo(SEGMENT);
        assertThat(read(file(MAGIC, -2, 1)).truncation()).isEqualTo(SEGMENT);
    }

    @Test
    void nonsenseIsRefused() {
        refused(file(MAGIC + 1, 3), "begin");
        refused(file(MAGIC, 3, 2, 2), "no order");
        refused(file(MAGIC, 3, 2, 1), "no order");
        refused(file(MAGIC, 3, -1), "no order");
        refused(file(MAGIC, 3, SEGMENT), "no order");
        byte[] many = new byte[101];
        refused(file(MAGIC, 3, new int[many.length]), "101 pages");
        byte[] whole = file(MAGIC, 3, 1, 2);
        refused(Arrays.copyOf(whole, whole.length - 1), "bytes for 2 pages");
        refused(Arrays.copyOf(whole, whole.length + 1), "bytes for 2 pages");
        assertThatThrownBy(() -> read(Arrays.copyOf(whole, 15), whole.length))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ends early");
        assertThatThrownBy(() -> read(new byte[3], 3))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ends early");
    }

    private static void refused(byte[] file, String why) {
        assertThatThrownBy(() -> read(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(why);
    }
}
