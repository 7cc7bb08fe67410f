package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

final class RelationPageReaderTest {
    private static final int BLOCK = 1024;
    private static final int FIRST = 131072;
    private static final int PAGES = 10;
    @TempDir Path directory;
    private final List<DamagedPage> damage = new ArrayList<>();
    private final byte[] buffer = new byte[3 + 128 * BLOCK];
    private Path file = Path.of("");

    @BeforeEach
    void ten_sound_pages() throws IOException {
        file = directory.resolve("16384.1");
        byte[] all = new byte[PAGES * BLOCK];
        for (int page = 0; page < PAGES; page++) {
            System.arraycopy(page(page, 100), 0, all, page * BLOCK, BLOCK);
        }
        Files.write(file, all);
    }

    @Test
    void pages_are_read_in_runs_up_to_the_start_size() throws IOException {
        Files.write(file, new byte[5000], StandardOpenOption.APPEND);
        try (RelationPageReader reader = open(PAGES * BLOCK + 500, _ -> {})) {
            assertThat(reader.read(buffer, 3, 4)).isEqualTo(4);
            assertThat(reader.read(buffer, 3, 128)).isEqualTo(6);
            assertThat(reader.position()).isEqualTo(PAGES);
            assertThat(reader.read(buffer, 3, 128)).isZero();
            assertThat(reader.truncated()).isFalse();
            byte[] expected =
                    Arrays.copyOfRange(Files.readAllBytes(file), 4 * BLOCK, PAGES * BLOCK);
            assertThat(Arrays.copyOfRange(buffer, 3, 3 + 6 * BLOCK)).isEqualTo(expected);
        }
        assertThat(damage).isEmpty();
    }

    @Test
    void a_file_that_shrank_ends_at_its_last_whole_page() throws IOException {
        try (RelationPageReader reader = open(PAGES * BLOCK, _ -> {})) {
            assertThat(reader.read(buffer, 0, 4)).isEqualTo(4);
            truncate(6 * BLOCK + 100);
            assertThat(reader.read(buffer, 0, 128)).isEqualTo(2);
            assertThat(reader.truncated()).isTrue();
            assertThat(reader.read(buffer, 0, 128)).isZero();
        }
    }

    @Test
    void a_wrong_page_that_is_gone_when_read_again_ends_the_file() {
        put(5, new byte[] {1, 2, 3});
        try (RelationPageReader reader = open(PAGES * BLOCK, _ -> truncate(2 * BLOCK))) {
            assertThat(reader.read(buffer, 0, 128)).isEqualTo(5);
            assertThat(reader.truncated()).isTrue();
        }
        assertThat(damage).isEmpty();
    }

    @Test
    void of_several_wrong_pages_those_before_the_new_end_are_judged() {
        for (int page : new int[] {2, 5, 7}) {
            put(page, new byte[] {1, 2, 3});
        }
        try (RelationPageReader reader =
                open(
                        PAGES * BLOCK,
                        attempt -> {
                            if (attempt == 2) {
                                truncate(6 * BLOCK);
                            } else if (attempt == 3) {
                                truncate(5 * BLOCK);
                            }
                        })) {
            assertThat(reader.read(buffer, 0, 128)).isEqualTo(5);
            assertThat(reader.truncated()).isTrue();
        }
        assertThat(damage).extracting(DamagedPage::blockInFile).containsExactly(2);
    }

    @Test
    void a_page_that_is_right_when_read_again_is_sound_and_replaces_the_torn_one() {
        put(5, new byte[] {1, 2, 3});
        try (RelationPageReader reader =
                open(PAGES * BLOCK, attempt -> put(attempt == 2 ? 5 : 9, page(5, 100)))) {
            put(9, page(9, 100));
            assertThat(reader.read(buffer, 0, 8)).isEqualTo(8);
        }
        assertThat(damage).isEmpty();
        assertThat(PageCheck.verify(buffer, 5 * BLOCK, BLOCK, FIRST + 5).sound()).isTrue();
    }

    @Test
    void only_a_wrong_page_with_an_lsn_since_the_start_is_being_written() {
        long[] lsns = {999, 1000, 1500, 2000, 2001};
        for (int n = 0; n < lsns.length; n++) {
            byte[] torn = page(n, lsns[n]);
            torn[500]++;
            put(n, torn);
        }
        List<Integer> waits = new ArrayList<>();
        try (RelationPageReader reader = open(PAGES * BLOCK, waits::add)) {
            assertThat(reader.read(buffer, 0, 128)).isEqualTo(PAGES);
            assertThat(reader.beingWritten()).isEqualTo(3);
        }
        assertThat(waits).as("once for all of them").containsExactly(1, 2, 3, 4);
        assertThat(damage).extracting(DamagedPage::blockInFile).containsExactly(0, 4);
        assertThat(damage).extracting(DamagedPage::block).containsExactly(131072L, 131076L);
        assertThat(damage).extracting(DamagedPage::path).containsOnly("base/5/16384.1");
        assertThat(damage).allMatch(page -> page.found() != page.expected());
    }

    @Test
    void without_checksums_nothing_is_judged() {
        put(5, new byte[] {1, 2, 3});
        try (RelationPageReader reader =
                RelationPageReader.open(target(PAGES * BLOCK), Optional.empty()).orElseThrow()) {
            assertThat(reader.read(buffer, 0, 128)).isEqualTo(PAGES);
        }
    }

    @Test
    void a_file_that_vanished_is_an_answer() throws IOException {
        Files.delete(file);
        assertThat(RelationPageReader.open(target(BLOCK), Optional.empty())).isEmpty();
    }

    private RelationPageReader open(long startSizeBytes, Waiter waiter) {
        return RelationPageReader.open(
                        target(startSizeBytes),
                        Optional.of(
                                new RelationPageReader.Verification(
                                        Lsn.of(1000), () -> Lsn.of(2000), waiter, damage::add)))
                .orElseThrow();
    }

    private RelationPageReader.Target target(long startSizeBytes) {
        return new RelationPageReader.Target(file, "base/5/16384.1", FIRST, startSizeBytes, BLOCK);
    }

    private void put(int page, byte[] bytes) {
        change(channel -> channel.write(ByteBuffer.wrap(bytes), (long) page * BLOCK));
    }

    private void truncate(long size) {
        change(channel -> channel.truncate(size));
    }

    private void change(Change change) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            change.apply(channel);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @FunctionalInterface
    private interface Change {
        void apply(FileChannel channel) throws IOException;
    }

    private static byte[] page(int number, long lsn) {
        byte[] page = new byte[BLOCK];
        ByteBuffer out = ByteBuffer.wrap(page).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(0, (int) (lsn >>> 32)).putInt(4, (int) lsn).putShort(14, (short) 800);
        out.putInt(900, number);
        out.putShort(8, (short) PageChecksum.of(page, 0, BLOCK, FIRST + number));
        return page;
    }
}
