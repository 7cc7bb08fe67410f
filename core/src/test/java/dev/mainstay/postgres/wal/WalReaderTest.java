package dev.mainstay.postgres.wal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class WalReaderTest {
    private static final int XLOG = 0;

    private static SyntheticWal random(
            WalFormat format,
            int segmentBytes,
            int pageBytes,
            int records,
            int largest,
            long seed) {
        Random random = new Random(seed);
        SyntheticWal wal = new SyntheticWal(format, segmentBytes, pageBytes, 3);
        for (int i = 0; i < records; i++) {
            byte[] main = new byte[random.nextInt(random.nextInt(20) == 0 ? largest : 200)];
            random.nextBytes(main);
            wal.appendMain(i, XLOG, XlogDecoder.NOOP, main);
            if (random.nextInt(97) == 0) {
                wal.switchSegment();
            }
        }
        return wal;
    }

    private static List<Long> readAll(WalReader reader, SyntheticWal wal) {
        List<Long> found = new ArrayList<>();
        int skipped = -1;
        while (reader.next() instanceof WalRecord record) {
            long lsn = record.lsn().value();
            if (skipped < 0) {
                skipped = 0;
                while (wal.written.get(skipped).lsn() < lsn) {
                    skipped++;
                }
            }
            SyntheticWal.Written expected = wal.written.get(skipped + found.size());
            assertThat(lsn).isEqualTo(expected.lsn());
            assertThat(record.previous().value()).isEqualTo(expected.previous());
            assertThat(record.xid()).isEqualTo(expected.xid());
            assertThat(record.info()).isEqualTo(expected.info());
            assertThat(record.totalBytes()).isEqualTo(24 + expected.body().remaining());
            assertThat(ByteBuffer.wrap(SyntheticWal.main(record.mainData())))
                    .isEqualTo(expected.body());
            found.add(lsn);
        }
        return found;
    }

    @ParameterizedTest
    @CsvSource({
        "2048,1024,400,6000",
        "16384,8192,400,50000",
        "1048576,8192,3000,300000",
        "16777216,8192,3000,300000",
        "67108864,16384,3000,300000"
    })
    void everyRecordIsFoundAcrossPagesAndSegments(
            int segmentBytes, int pageBytes, int records, int largest) {
        for (WalFormat format : List.of(WalFormat.PG14, WalFormat.PG18)) {
            int count = segmentBytes > 1 << 20 ? records / 40 : records;
            SyntheticWal wal = random(format, segmentBytes, pageBytes, count, largest, 42);
            WalReader reader = WalReader.open(wal.source(), wal.layout(), wal.begin());
            assertThat(readAll(reader, wal)).hasSize(wal.written.size());
            assertThat(reader.format()).contains(format);
            assertThat(reader.system()).contains(SystemId.of(SyntheticWal.SYSTEM));
            WalEnd end = (WalEnd) reader.next();
            assertThat(end.reason()).isEqualTo(WalEnd.Reason.SEGMENT_MISSING);
            assertThat(end.lsn().value()).isEqualTo(wal.position());
        }
    }

    @Test
    void seekingFindsTheFirstRecordAtOrAfterAnyPosition() {
        SyntheticWal wal = random(WalFormat.PG17, 16384, 8192, 300, 40000, 7);
        Random random = new Random(8);
        for (int i = 0; i < 500; i++) {
            long position = wal.base + random.nextLong(wal.position() - wal.base);
            WalReader reader = WalReader.seek(wal.source(), wal.layout(), Lsn.of(position));
            Optional<Long> expected =
                    wal.written.stream()
                            .map(SyntheticWal.Written::lsn)
                            .filter(lsn -> lsn >= position)
                            .findFirst();
            if (reader.next() instanceof WalRecord record) {
                assertThat(expected).contains(record.lsn().value());
            } else {
                assertThat(expected).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 100, 5000, 100000})
    void bytesMayArriveInPiecesOfAnySize(int piece) {
        SyntheticWal wal = random(WalFormat.PG16, 16384, 8192, 60, 60000, piece);
        byte[] all = wal.bytes();
        int[] arrived = {0};
        WalSource growing =
                (position, target, offset, length) -> {
                    int at = (int) (position.value() - wal.base);
                    int count = Math.min(length, arrived[0] - at);
                    if (count <= 0) {
                        return arrived[0] == all.length ? WalSource.MISSING : 0;
                    }
                    System.arraycopy(all, at, target, offset, count);
                    return count;
                };
        WalReader reader = WalReader.open(growing, wal.layout(), wal.begin());
        int found = 0;
        WalStep step = reader.next();
        while (!(step instanceof WalEnd)) {
            if (step instanceof WalRecord record) {
                SyntheticWal.Written expected = wal.written.get(found++);
                assertThat(record.lsn().value()).isEqualTo(expected.lsn());
                assertThat(ByteBuffer.wrap(SyntheticWal.main(record.mainData())))
                        .isEqualTo(expected.body());
            } else if (step instanceof WalPending pending) {
                assertThat(pending.needed().value()).isGreaterThanOrEqualTo(wal.base + arrived[0]);
                arrived[0] = Math.min(all.length, arrived[0] + piece);
            }
            step = reader.next();
        }
        assertThat(found).isEqualTo(wal.written.size());
    }

    @Test
    void anyFlippedBitEndsTheLogAtOrBeforeItsRecord() {
        SyntheticWal wal = random(WalFormat.PG15, 16384, 8192, 120, 30000, 99);
        byte[] good = wal.bytes();
        Random random = new Random(5);
        for (int i = 0; i < 2000; i++) {
            byte[] bad = good.clone();
            int at = random.nextInt(bad.length);
            bad[at] ^= (byte) (1 << random.nextInt(8));
            WalReader reader = WalReader.open(wal.source(bad), wal.layout(), wal.begin());
            int found = 0;
            while (reader.next() instanceof WalRecord record) {
                SyntheticWal.Written expected = wal.written.get(found++);
                assertThat(record.lsn().value()).isEqualTo(expected.lsn());
                assertThat(ByteBuffer.wrap(SyntheticWal.main(record.mainData())))
                        .as("flip at %d", at)
                        .isEqualTo(expected.body());
                assertThat(record.xid()).isEqualTo(expected.xid());
                assertThat(record.info()).isEqualTo(expected.info());
            }
            if (found == wal.written.size()) {
                assertThat(isUnchecked(wal, at)).as("flip at %d unnoticed", at).isTrue();
            }
        }
    }

    /// Padding after records and pages, and what no reader looks at: the unused flag of a page
    /// header and timelines that only rise.
    private static boolean isUnchecked(SyntheticWal wal, int at) {
        int inPage = at % wal.pageBytes;
        boolean first = at % wal.segmentBytes < wal.pageBytes;
        if (inPage < (first ? 40 : 24)) {
            return true;
        }
        long position = wal.base + at;
        SyntheticWal.Written last = null;
        for (SyntheticWal.Written one : wal.written) {
            if (one.lsn() <= position) {
                last = one;
            }
        }
        if (last == null || last.info() == XlogDecoder.SWITCH) {
            return true;
        }
        int index = wal.written.indexOf(last);
        long end =
                index + 1 < wal.written.size() ? wal.written.get(index + 1).lsn() : wal.position();
        return end - position <= 8 + 40;
    }

    @Test
    void aCutLogEndsWhereTheLastWholeRecordEnds() {
        SyntheticWal wal = random(WalFormat.PG17, 16384, 8192, 80, 30000, 3);
        byte[] all = wal.bytes();
        for (int cut = 41; cut < all.length; cut += 997) {
            byte[] zeroed = all.clone();
            Arrays.fill(zeroed, cut, all.length, (byte) 0);
            WalReader reader = WalReader.open(wal.source(zeroed), wal.layout(), wal.begin());
            long lastEnd = wal.base;
            while (reader.next() instanceof WalRecord record) {
                assertThat(record.lsn().value()).isLessThan(wal.base + cut);
                lastEnd = record.end().value();
            }
            WalEnd end = (WalEnd) reader.next();
            assertThat(end.lsn().value()).isBetween(lastEnd, lastEnd + 40);
        }
    }

    @Test
    void aRecordTheServerDeclaredTornIsPassedOver() {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG18, 16384, 8192, 1);
        wal.appendMain(1, XLOG, XlogDecoder.NOOP, new byte[5000]);
        wal.appendTorn(SyntheticWal.main(new byte[20000]));
        wal.appendMain(2, XLOG, XlogDecoder.NOOP, new byte[9000]);
        WalReader reader = WalReader.open(wal.source(), wal.layout(), wal.begin());
        assertThat(readAll(reader, wal)).hasSize(3);
    }

    @Test
    void pagesOfAnotherUseOfTheFileEndTheLog() {
        SyntheticWal old = random(WalFormat.PG17, 16384, 8192, 400, 300, 1);
        SyntheticWal wal = new SyntheticWal(WalFormat.PG17, 16384, 8192, 5);
        wal.appendMain(1, XLOG, XlogDecoder.NOOP, new byte[100]);
        byte[] recycled = Arrays.copyOf(old.bytes(), 16384);
        byte[] page = Arrays.copyOf(wal.bytes(), 8192);
        System.arraycopy(page, 0, recycled, 0, 8192);
        WalReader reader = WalReader.open(wal.source(recycled), wal.layout(), wal.begin());
        assertThat(readAll(reader, wal)).hasSize(1);
        assertThat(((WalEnd) reader.next()).reason()).isEqualTo(WalEnd.Reason.ZEROS);
        WalReader second =
                WalReader.seek(wal.source(recycled), wal.layout(), Lsn.of(wal.base + 8192));
        assertThat(((WalEnd) second.next()).reason()).isEqualTo(WalEnd.Reason.STALE_PAGE);
    }

    @Test
    void anotherClusterANewerTimelineAndAnotherVersionAreRefused() {
        SyntheticWal wal = random(WalFormat.PG17, 16384, 8192, 20, 300, 1);
        for (WalLayout layout :
                List.of(
                        wal.layout().withSystem(SystemId.of(1)),
                        wal.layout().withFormat(WalFormat.PG16),
                        WalLayout.of(32768))) {
            WalEnd end = (WalEnd) WalReader.open(wal.source(), layout, wal.begin()).next();
            assertThat(end.reason()).isEqualTo(WalEnd.Reason.PAGE_INVALID);
        }
        wal.timeline = 7;
        wal.appendMain(1, XLOG, XlogDecoder.NOOP, new byte[20000]);
        WalReader bounded =
                WalReader.open(
                        wal.source(), wal.layout().withTimeline(TimelineId.of(6)), wal.begin());
        assertThat(readAll(bounded, wal)).hasSize(wal.written.size() - 1);
    }

    @Test
    void aLayoutIsReadFromTheFirstBytesOfASegment() {
        SyntheticWal wal = random(WalFormat.PG16, 1 << 20, 8192, 3, 30, 1);
        WalLayout layout = WalLayout.read(wal.bytes());
        assertThat(layout.segmentBytes()).isEqualTo(1 << 20);
        assertThat(layout.format()).contains(WalFormat.PG16);
    }

    @Test
    void blockReferencesAreTakenApart() {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG16, 16384, 8192, 1);
        RelationFile file = new RelationFile(1663, 5, 0xFFFF_FFF0L);
        wal.append(
                9,
                10,
                0x80,
                SyntheticWal.references(file, new long[] {3, 0xFFFF_FFFEL}, new byte[] {1, 2}));
        WalRecord record =
                (WalRecord) WalReader.open(wal.source(), wal.layout(), wal.begin()).next();
        assertThat(record.blockCount()).isEqualTo(2);
        assertThat(record.blockFile(1)).isEqualTo(file);
        assertThat(record.blockNumber(1)).isEqualTo(0xFFFF_FFFEL);
        assertThat(record.blockFork(0)).isEqualTo(Fork.MAIN);
        assertThat(record.managerName()).isEqualTo("Heap");
        assertThat(record.mainData()).containsExactly(1, 2);
    }
}
