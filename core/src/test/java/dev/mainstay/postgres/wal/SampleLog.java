package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// A little log of whole segments for tests of other rooms: inserts, commits, quiet stretches.
public final class SampleLog {
    public static final int SEGMENT = 1 << 20;
    private static final RelationFile FILE = new RelationFile(1663, 5, 16384);

    private SampleLog() {}

    /// @param first number of the first segment
    public static List<byte[]> segments(long seed, long first, int count) {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG17, SEGMENT, 8192, first);
        Random random = new Random(seed);
        Instant time = Instant.parse("2026-11-21T04:00:00Z");
        for (int segment = 0; segment < count; segment++) {
            for (int i = 0; i < 40; i++) {
                byte[] main = new byte[random.nextInt(60)];
                random.nextBytes(main);
                long[] blocks = {random.nextInt(500)};
                wal.append(i + 1, 10, 0x40, SyntheticWal.references(FILE, blocks, main));
                byte[] commit = new byte[12];
                ByteBuffer.wrap(commit)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(PgTime.micros(time.plusSeconds(60L * segment + i)));
                wal.appendMain(i + 1, 1, 0, commit);
            }
            wal.switchSegment();
        }
        byte[] all = wal.bytes();
        List<byte[]> segments = new ArrayList<>();
        for (int at = 0; at + SEGMENT <= all.length; at += SEGMENT) {
            segments.add(Arrays.copyOfRange(all, at, at + SEGMENT));
        }
        return segments;
    }

    /// Some inserts, and a record that goes on into the next segments, as far as `count` of them
    /// hold it.
    public static List<byte[]> endingInALongRecord(long first, int count) {
        SyntheticWal wal = new SyntheticWal(WalFormat.PG17, SEGMENT, 8192, first);
        for (int i = 0; i < 40; i++) {
            long[] blocks = {i};
            wal.append(i + 1, 10, 0x40, SyntheticWal.references(FILE, blocks, new byte[20]));
        }
        wal.appendMain(50, 21, 0, new byte[count * SEGMENT]);
        byte[] all = wal.bytes();
        List<byte[]> segments = new ArrayList<>();
        for (int at = 0; at < count * SEGMENT; at += SEGMENT) {
            segments.add(Arrays.copyOfRange(all, at, at + SEGMENT));
        }
        return segments;
    }

    public static byte[] summary(WalSegment segment, byte[] content) {
        return WalSummariser.summarise(
                        segment,
                        WalSource.of(segment, content),
                        WalLayout.read(content),
                        PgClassFiles.initial())
                .encode();
    }

    public static WalSegment segment(long number) {
        return new WalSegment(TimelineId.of(1), number, SEGMENT);
    }

    public static Lsn start(long number) {
        return segment(number).start();
    }
}
