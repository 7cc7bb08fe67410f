package dev.mainstay.postgres.wal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32C;

/// Bytes of a summary, as [WalSummary] describes them; the events are [EventCodec]'s.
final class SummaryCodec {
    private static final byte[] MAGIC = "MSWS".getBytes(US_ASCII);
    private static final int SHORTEST = MAGIC.length + 1 + 4;

    private SummaryCodec() {}

    static byte[] encode(WalSummary summary) {
        ByteWriter out = new ByteWriter();
        WalSegment segment = summary.segment();
        Lsn start = segment.start();
        out.raw(MAGIC).u8(WalSummary.VERSION);
        out.number(Integer.toUnsignedLong(segment.timeline().value())).number(segment.number());
        out.number(Integer.numberOfTrailingZeros(segment.sizeBytes()));
        out.number(summary.format().major());
        out.number(summary.begin().minus(start)).number(summary.end().minus(summary.begin()));
        out.flag(summary.complete());
        encode(out, summary.commits(), start);
        out.number(summary.minutes().size());
        long previousMinute = 0;
        for (WalSummary.Minute minute : summary.minutes()) {
            long number = Math.floorDiv(minute.begin().getEpochSecond(), 60);
            out.signed(number - previousMinute).number(minute.commits());
            previousMinute = number;
        }
        out.number(summary.readWhole().size());
        summary.readWhole().forEach(out::text);
        out.number(summary.noted().size());
        Lsn previous = start;
        for (WalSummary.Noted noted : summary.noted()) {
            out.number(noted.lsn().minus(previous)).number(noted.xid());
            EventCodec.encode(out, noted.event());
            previous = noted.lsn();
        }
        encode(out, summary.changed());
        byte[] content = out.bytes();
        byte[] all = Arrays.copyOf(content, content.length + 4);
        int crc = crc(content, content.length);
        for (int i = 0; i < 4; i++) {
            all[content.length + i] = (byte) (crc >>> (8 * i));
        }
        return all;
    }

    private static int crc(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }

    private static <T> void optional(ByteWriter out, Optional<T> value, Consumer<T> writer) {
        out.flag(value.isPresent());
        value.ifPresent(writer);
    }

    private static <T> Optional<T> optional(ByteReader in, Supplier<T> reader) {
        return in.flag() ? Optional.of(reader.get()) : Optional.empty();
    }

    private static void encode(ByteWriter out, WalSummary.Commits commits, Lsn start) {
        out.number(commits.count());
        Consumer<WalSummary.Commit> commit =
                one -> out.number(one.lsn().minus(start)).time(one.time());
        optional(out, commits.first(), commit);
        optional(out, commits.last(), commit);
        optional(out, commits.earliest(), out::time);
        optional(out, commits.latest(), out::time);
        out.number(commits.aborts());
        optional(out, commits.latestEnd(), out::time);
        optional(out, commits.ended(), range -> out.number(range.lowest()).number(range.highest()));
    }

    private static WalSummary.Commits commits(ByteReader in, Lsn start) {
        Supplier<WalSummary.Commit> commit =
                () -> {
                    Lsn lsn = start.plus(in.number());
                    return new WalSummary.Commit(lsn, in.time());
                };
        return new WalSummary.Commits(
                in.number(),
                optional(in, commit),
                optional(in, commit),
                optional(in, in::time),
                optional(in, in::time),
                in.number(),
                optional(in, in::time),
                optional(
                        in,
                        () -> {
                            long lowest = in.number();
                            return new WalSummary.XidRange(lowest, in.number());
                        }));
    }

    private static void encode(ByteWriter out, ChangedBlocks changed) {
        out.number(changed.byFork().size());
        changed.byFork()
                .forEach(
                        (key, change) -> {
                            out.file(key.file()).u8(key.fork().number());
                            out.number(change.rawLimit() + 1);
                            runs(out, change.sortedBlocks());
                        });
    }

    private static void runs(ByteWriter out, int[] blocks) {
        ByteWriter body = new ByteWriter();
        long runs = 0;
        long next = 0;
        for (int i = 0; i < blocks.length; ) {
            int from = i;
            while (i + 1 < blocks.length && blocks[i + 1] == blocks[i] + 1) {
                i++;
            }
            long first = Integer.toUnsignedLong(blocks[from]);
            body.number(first - next).number(i - from);
            next = first + (i - from) + 1;
            i++;
            runs++;
        }
        out.number(runs).raw(body.bytes());
    }

    static WalSummary decode(byte[] bytes) {
        if (bytes.length < SHORTEST || !Arrays.equals(bytes, 0, 4, MAGIC, 0, 4)) {
            throw ByteReader.invalid("they begin otherwise");
        }
        int length = bytes.length - 4;
        if (bytes[4] != WalSummary.VERSION) {
            throw ByteReader.invalid("version " + bytes[4] + " is not known");
        }
        if (crc(bytes, length) != Bytes.i32(bytes, length)) {
            throw ByteReader.invalid("the checksum does not hold");
        }
        ByteReader in = new ByteReader(bytes, 5, length);
        try {
            WalSummary summary = summary(in);
            if (in.remaining() != 0) {
                throw ByteReader.invalid("something follows");
            }
            return summary;
        } catch (IllegalArgumentException impossible) {
            throw ByteReader.invalid(String.valueOf(impossible.getMessage()));
        }
    }

    private static WalSummary summary(ByteReader in) {
        TimelineId timeline = TimelineId.of((int) in.u32());
        long number = in.number();
        long bits = in.number(); // no count: a quiet segment's summary is shorter than that
        if (bits < 20 || bits > 30) {
            throw ByteReader.invalid("there is a segment of 2^" + bits + " bytes");
        }
        WalSegment segment = new WalSegment(timeline, number, 1 << (int) bits);
        Lsn start = segment.start();
        WalFormat format = WalFormat.ofMajor((int) in.u32());
        Lsn begin = start.plus(in.number());
        Lsn end = begin.plus(in.number());
        boolean complete = in.flag();
        WalSummary.Commits commits = commits(in, start);
        long[] minute = {0};
        List<WalSummary.Minute> minutes =
                in.list(
                        () -> {
                            minute[0] += in.signed();
                            return new WalSummary.Minute(
                                    Instant.ofEpochSecond(minute[0] * 60), in.number());
                        });
        List<String> readWhole = in.list(in::text);
        Lsn[] previous = {start};
        List<WalSummary.Noted> noted =
                in.list(
                        () -> {
                            previous[0] = previous[0].plus(in.number());
                            long xid = in.u32();
                            return new WalSummary.Noted(previous[0], xid, EventCodec.decode(in));
                        });
        return new WalSummary(
                segment,
                format,
                begin,
                end,
                complete,
                commits,
                minutes,
                readWhole,
                noted,
                changed(in));
    }

    private static ChangedBlocks changed(ByteReader in) {
        var sorted = new java.util.TreeMap<ChangedBlocks.Key, BlockChanges>();
        int forks = in.count();
        for (int i = 0; i < forks; i++) {
            RelationFile file = in.file();
            Fork fork = Fork.ofNumber(in.u8()).orElseThrow(() -> ByteReader.invalid("no fork"));
            long limit = in.number() - 1;
            sorted.put(new ChangedBlocks.Key(file, fork), new BlockChanges(limit, blocks(in)));
        }
        return new ChangedBlocks(sorted);
    }

    private static int[] blocks(ByteReader in) {
        int runs = in.count();
        List<long[]> found = new ArrayList<>();
        long next = 0;
        long total = 0;
        for (int i = 0; i < runs; i++) {
            long first = next + in.u32();
            long count = in.u32() + 1;
            next = first + count;
            total += count;
            if (next >>> 32 != 0 || total > Integer.MAX_VALUE - 8) {
                throw ByteReader.invalid("there is a block number of more than 32 bits");
            }
            found.add(new long[] {first, count});
        }
        int[] blocks = new int[(int) total];
        int at = 0;
        for (long[] run : found) {
            for (long block = run[0]; block < run[0] + run[1]; block++) {
                blocks[at++] = (int) block;
            }
        }
        return blocks;
    }
}
