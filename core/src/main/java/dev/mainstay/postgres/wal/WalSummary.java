package dev.mainstay.postgres.wal;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What the records that **begin** in one WAL segment say, without the segment. A record that
/// continues in later segments belongs to the one it begins in, so summarising needs the beginning
/// of the next segment; a record that continues from before belongs to an earlier summary. A
/// summary depends on these bytes and on [PgClassFiles] alone and can be made again at any time.
///
/// ## Bytes, version 1
///
/// Numbers are LEB128 varints unless said otherwise; times are zigzag varints of microseconds since
/// 2000-01-01 UTC; positions in lists are distances from the one before, beginning at the segment's
/// start; texts are a length and UTF-8; absent values are a 0 byte, present ones a 1 byte and the
/// value.
///
/// ```
/// "MSWS"  u8 version = 1
/// timeline, segment number, log2 of the segment size, PostgreSQL major version
/// begin - segment start, end - begin, u8 complete
/// commits: count, [first: lsn - segment start, time; last: the same; earliest, latest time]
/// aborts; [latest time of any transaction's end]; [lowest and highest xid that ended]
/// minutes: count, each: minute since 2000 less the one before (zigzag), commits
/// reasons to read everything: count, texts
/// noted events: count, each: lsn distance, xid, u8 kind, fields (see SummaryCodec)
/// changed blocks: count of forks, each: tablespace, database, file number, u8 fork,
///     limit + 1 or 0, runs: count, each: blocks left out before it, its length - 1
/// u32 little-endian CRC-32C of everything before it
/// ```
///
/// A reader refuses other versions and bytes left over.
///
/// @param begin the first record that begins in the segment; the segment's end if none does
/// @param end where the last record ends: at least the segment's end if `complete`
/// @param complete all records of the segment were read; otherwise valid WAL ended at `end`
/// @param readWhole why the changed blocks cannot be trusted; if any, read everything
/// @param noted everything else of interest, in the order of the log
public record WalSummary(
        WalSegment segment,
        WalFormat format,
        Lsn begin,
        Lsn end,
        boolean complete,
        Commits commits,
        List<Minute> minutes,
        List<String> readWhole,
        List<Noted> noted,
        ChangedBlocks changed) {
    /// The version of the summariser, written into every summary.
    public static final int VERSION = 1;

    public WalSummary {
        minutes = List.copyOf(minutes);
        readWhole = List.copyOf(readWhole);
        noted = List.copyOf(noted);
    }

    /// The transactions that ended. Times are not in the order of the log: clocks step and commits
    /// overtake each other.
    ///
    /// @param latestEnd the latest time of a commit or abort: what a recovery to a time waits for
    public record Commits(
            long count,
            Optional<Commit> first,
            Optional<Commit> last,
            Optional<Instant> earliest,
            Optional<Instant> latest,
            long aborts,
            Optional<Instant> latestEnd,
            Optional<XidRange> ended) {}

    public record Commit(Lsn lsn, Instant time) {}

    /// Lowest and highest number of transactions that ended, top-level only, as unsigned numbers.
    public record XidRange(long lowest, long highest) {}

    /// @param begin the full UTC minute
    public record Minute(Instant begin, long commits) {}

    /// An event and the transaction that logged it (0 for none).
    public record Noted(Lsn lsn, long xid, WalEvent event) {}

    public byte[] encode() {
        return SummaryCodec.encode(this);
    }

    /// @throws MainstayException WAL_FILE_INVALID if these bytes are no summary of this version
    public static WalSummary decode(byte[] bytes) {
        return SummaryCodec.decode(bytes);
    }

    /// The noted events of one kind.
    public <E extends WalEvent> List<E> events(Class<E> kind) {
        return noted.stream().map(Noted::event).filter(kind::isInstance).map(kind::cast).toList();
    }
}
