package dev.mainstay.postgres.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class WalSummaryTest {
    private static final int MIB = 1 << 20;
    private static final int HEAP = 10;
    private static final RelationFile FILE = new RelationFile(1663, 5, 20000);
    private static final RelationFile PG_CLASS = new RelationFile(1663, 5, 1259);
    private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");

    private static ByteBuffer buffer(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void commit(SyntheticWal wal, long xid, Instant time, RelationFile... dropped) {
        ByteBuffer main = buffer(16 + 12 * dropped.length).putLong(PgTime.micros(time));
        main.putInt(dropped.length > 0 ? 4 : 0);
        if (dropped.length > 0) {
            main.putInt(dropped.length);
        }
        for (RelationFile file : dropped) {
            main.putInt((int) file.tablespace()).putInt((int) file.database());
            main.putInt((int) file.number());
        }
        byte[] bytes = new byte[main.position()];
        main.get(0, bytes);
        wal.appendMain(xid, 1, 0x80, bytes);
    }

    private static SyntheticWal busy(long seed) {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG17, MIB, 8192, 4);
        Random random = new Random(seed);
        for (int i = 0; i < 20000; i++) {
            byte[] main = new byte[random.nextInt(random.nextInt(500) == 0 ? 300000 : 60)];
            long[] blocks = {random.nextInt(5000), 0xFFFF_0000L + random.nextInt(100)};
            wal.append(i, HEAP, 0x40, SyntheticWal.references(FILE, blocks, main));
            if (random.nextInt(4) == 0) {
                commit(wal, i, NOON.plusSeconds(i / 50));
            }
        }
        return wal;
    }

    private static List<WalSummary> stream(SyntheticWal wal) {
        WalReader reader = WalReader.open(wal.source(), wal.layout(), wal.begin());
        WalSummariser summariser =
                WalSummariser.begin(
                        WalSegment.containing(TimelineId.of(1), wal.begin(), MIB),
                        PgClassFiles.initial());
        List<WalSummary> summaries = new ArrayList<>();
        while (reader.next() instanceof WalRecord record) {
            summaries.addAll(summariser.accept(record));
        }
        summaries.add(summariser.cut(reader.position(), WalFormat.PG17));
        return summaries;
    }

    @Test
    void aSummaryOfASegmentInWhichNothingHappenedSurvivesItsBytes() {
        for (int size = MIB; size > 0 && size <= 1 << 30; size *= 2) {
            WalSegment segment = new WalSegment(TimelineId.of(1), 3, size);
            SegmentFacts nothing = new SegmentFacts(segment, PgClassFiles.initial());
            WalSummary summary = nothing.finish(segment.end(), true, WalFormat.PG17);
            assertThat(WalSummary.decode(summary.encode())).isEqualTo(summary);
        }
    }

    @Test
    void streamedAndSingleSummariesAgreeAndSurviveTheirBytes() {
        SyntheticWal wal = busy(11);
        List<WalSummary> streamed = stream(wal);
        assertThat(streamed).hasSizeGreaterThan(3);
        for (WalSummary summary : streamed) {
            assertThat(WalSummary.decode(summary.encode())).isEqualTo(summary);
            assertThat(
                            WalSummariser.summarise(
                                    summary.segment(),
                                    wal.source(),
                                    wal.layout(),
                                    PgClassFiles.initial()))
                    .isEqualTo(summary);
        }
        long commits = streamed.stream().mapToLong(one -> one.commits().count()).sum();
        assertThat(commits).isEqualTo(wal.written.stream().filter(w -> w.manager() == 1).count());
        ChangedBlocks merged =
                ChangedBlocks.merge(streamed.stream().map(WalSummary::changed).toList());
        WalReader whole = WalReader.open(wal.source(), wal.layout(), wal.begin());
        assertThat(merged)
                .isEqualTo(WalSummariser.changes(whole, Lsn.of(wal.position())).changed());
    }

    @Test
    void anyChangedByteIsRefused() {
        byte[] bytes = stream(busy(12)).getFirst().encode();
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            byte[] bad = bytes.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> WalSummary.decode(bad)).isInstanceOf(MainstayException.class);
        }
        for (int length = 0; length < 200; length++) {
            byte[] cut = java.util.Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> WalSummary.decode(cut)).isInstanceOf(MainstayException.class);
        }
    }

    @Test
    void aCustomManagerMakesEverythingBeRead() {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG18, MIB, 8192, 4);
        wal.appendMain(1, 140, 0, new byte[10]);
        assertThat(stream(wal).getFirst().readWhole())
                .containsExactly("records of the resource manager custom140");
    }

    @Test
    void aDropIsToldFromARewriteByTheRowsOfPgClass() {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG15, MIB, 8192, 4);
        RelationFile made = new RelationFile(1663, 5, 20001);
        wal.appendMain(
                0, 8, 0x10, buffer(24).putInt(12, 5).putInt(16, 5).array()); // running: next 5
        // dropped: a row deleted, nothing made
        delete(wal, 10, 7, 3);
        commit(wal, 10, NOON, FILE);
        // rewritten: a row moved, its file made anew by copying pages, a transient row gone again
        create(wal, 11, made);
        insert(wal, 11, 9, 1);
        wal.append(11, 0, 0xB0, SyntheticWal.references(made, new long[] {0}, new byte[0]));
        update(wal, 11, 7, 4, 5);
        delete(wal, 11, 9, 1);
        commit(wal, 11, NOON.plusSeconds(1), FILE);
        // truncated: a row moved, a new file written by nobody
        create(wal, 12, new RelationFile(1663, 5, 20002));
        update(wal, 12, 7, 5, 6);
        commit(wal, 12, NOON.plusSeconds(2), FILE);
        // both: nobody can tell
        create(wal, 13, new RelationFile(1663, 5, 20003));
        update(wal, 13, 7, 6, 7);
        delete(wal, 13, 8, 1);
        commit(wal, 13, NOON.plusSeconds(3), FILE);
        // begun before the log at hand
        commit(wal, 4, NOON.plusSeconds(4), FILE);
        // made and dropped by the same transaction
        create(wal, 14, FILE);
        commit(wal, 14, NOON.plusSeconds(5), FILE);
        WalTimeline timeline = new WalTimeline(_ -> Optional.of("public.t"));
        stream(wal).forEach(timeline::accept);
        assertThat(
                        timeline.events().stream()
                                .filter(TimelineEvent.RelationChanged.class::isInstance)
                                .map(TimelineEvent.RelationChanged.class::cast)
                                .map(TimelineEvent.RelationChanged::fate))
                .containsExactly(
                        TimelineEvent.Fate.DROPPED,
                        TimelineEvent.Fate.REWRITTEN,
                        TimelineEvent.Fate.TRUNCATED,
                        TimelineEvent.Fate.DROPPED_OR_REWRITTEN,
                        TimelineEvent.Fate.DROPPED_OR_REWRITTEN);
        assertThat(timeline.events(NOON.plusSeconds(2), NOON.plusSeconds(3)))
                .anyMatch(event -> event instanceof TimelineEvent.RelationChanged);
    }

    private static void delete(SyntheticWal wal, long xid, long block, int offset) {
        byte[] main = buffer(8).putInt((int) xid).putShort((short) offset).array();
        wal.append(xid, HEAP, 0x10, SyntheticWal.references(PG_CLASS, new long[] {block}, main));
    }

    private static void insert(SyntheticWal wal, long xid, long block, int offset) {
        byte[] main = buffer(3).putShort((short) offset).array();
        wal.append(xid, HEAP, 0x00, SyntheticWal.references(PG_CLASS, new long[] {block}, main));
    }

    private static void update(SyntheticWal wal, long xid, long block, int from, int to) {
        byte[] main =
                buffer(14)
                        .putInt((int) xid)
                        .putShort((short) from)
                        .putShort(12, (short) to)
                        .array();
        wal.append(xid, HEAP, 0x20, SyntheticWal.references(PG_CLASS, new long[] {block}, main));
    }

    private static void create(SyntheticWal wal, long xid, RelationFile file) {
        byte[] main =
                buffer(16)
                        .putInt((int) file.tablespace())
                        .putInt((int) file.database())
                        .putInt((int) file.number())
                        .array();
        wal.appendMain(xid, 2, 0x10, main);
    }

    @Test
    void targetsAreFoundWhereRecoveryWouldStop() {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG16, MIB, 8192, 4);
        commit(wal, 10, NOON);
        commit(wal, 11, NOON.plusSeconds(10));
        long third = wal.position();
        commit(wal, 12, NOON.plusSeconds(20));
        WalSearch.Reached reached =
                (WalSearch.Reached) search(wal, new WalTarget.AtTime(NOON.plusSeconds(10), true));
        assertThat(reached.stop()).isEqualTo(Lsn.of(third));
        assertThat(search(wal, new WalTarget.AtTime(NOON.plusSeconds(20), true)))
                .isInstanceOf(WalSearch.NotReached.class);
        assertThat(((WalSearch.Reached) search(wal, new WalTarget.AtXid(11, true))).stop())
                .isEqualTo(Lsn.of(third));
        assertThat(
                        ((WalSearch.Reached) search(wal, new WalTarget.AtLsn(Lsn.of(third), false)))
                                .stop())
                .isEqualTo(Lsn.of(third));
        WalSummary summary = stream(wal).getFirst();
        assertThat(WalSearch.isReachedIn(summary, new WalTarget.AtTime(NOON.plusSeconds(19), true)))
                .contains(true);
        assertThat(WalSearch.isReachedIn(summary, new WalTarget.AtXid(99, true))).contains(false);
    }

    private static WalSearch.Result search(SyntheticWal wal, WalTarget target) {
        return WalSearch.find(WalReader.open(wal.source(), wal.layout(), wal.begin()), target);
    }
}
