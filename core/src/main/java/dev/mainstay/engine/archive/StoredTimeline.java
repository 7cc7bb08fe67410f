package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.wal.PgClassFiles;
import dev.mainstay.postgres.wal.RelationNames;
import dev.mainstay.postgres.wal.TimelineEvent;
import dev.mainstay.postgres.wal.TimelineHistory;
import dev.mainstay.postgres.wal.WalEnd;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.postgres.wal.WalReader;
import dev.mainstay.postgres.wal.WalSource;
import dev.mainstay.postgres.wal.WalSummariser;
import dev.mainstay.postgres.wal.WalSummary;
import dev.mainstay.postgres.wal.WalTimeline;
import dev.mainstay.repository.CommittedBackup;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a stored log says happened, up to its very end. The summaries stored with the segments are
/// read; the log itself is read only where there is none: usually its last segments, the parts of
/// an unfinished one included.
public final class StoredTimeline {
    /// A header and a first record: less says nothing.
    private static final int PAGE = 8192;

    /// Failures that are no fault of one segment.
    private static final Set<ErrorCode> GENERAL =
            EnumSet.of(ErrorCode.STORE_UNAVAILABLE, ErrorCode.STORE_REFUSED, ErrorCode.INTERRUPTED);

    /// A stretch of the log without a gap.
    ///
    /// @param missing why nothing is known of what lies between this and the stretch before; empty
    ///   for the first
    /// @param earliest first commit, by the server's clock
    /// @param latest last commit, by the same
    /// @param events in the order of the log, without names
    public record Stretch(
            String missing,
            Lsn begin,
            Lsn end,
            Optional<Instant> earliest,
            Optional<Instant> latest,
            List<TimelineEvent> events) {
        public Stretch {
            events = List.copyOf(events);
        }
    }

    /// @param stretches oldest first; between two of them is a gap, after the last one nothing is
    ///   stored
    public record Story(TimelineHistory history, List<Stretch> stretches) {
        public Story {
            stretches = List.copyOf(stretches);
        }

        /// All events; between those of two stretches something is missing.
        public List<TimelineEvent> events() {
            return stretches.stream().flatMap(each -> each.events.stream()).toList();
        }

        public Optional<Instant> earliest() {
            return stretches.stream()
                    .flatMap(each -> each.earliest.stream())
                    .min(Instant::compareTo);
        }

        public Optional<Instant> latest() {
            return stretches.stream().flatMap(each -> each.latest.stream()).max(Instant::compareTo);
        }
    }

    private final StoredLog log;
    private final List<Stretch> stretches = new ArrayList<>();
    private final CatalogFiles catalogs;
    private Optional<List<CommittedBackup>> backups = Optional.empty();
    private WalTimeline timeline = new WalTimeline(RelationNames.NONE);
    private Lsn begin = Lsn.NONE;
    private Lsn end = Lsn.NONE;
    private String missing = "";
    private Optional<Instant> earliest = Optional.empty();
    private Optional<Instant> latest = Optional.empty();

    private StoredTimeline(StoredLog log) {
        this.log = log;
        this.catalogs = new CatalogFiles(log.archive());
    }

    /// Reads all of a stored log.
    public static Story read(StoredLog log) {
        StoredTimeline reading = new StoredTimeline(log);
        String missing = "";
        for (StoredLog.Stretch stretch : log.stretches()) {
            reading.open(stretch.begin(), missing);
            stretch.pieces().forEach(reading::read);
            reading.close();
            missing = log.isFreed(stretch.end()) ? "freed by retention" : "not stored";
        }
        return new Story(log.history(), reading.stretches);
    }

    private void open(Lsn from, String why) {
        timeline = new WalTimeline(RelationNames.NONE);
        begin = from;
        end = from;
        missing = why;
        earliest = Optional.empty();
        latest = Optional.empty();
    }

    private void close() {
        if (end.isAfter(begin)) {
            stretches.add(new Stretch(missing, begin, end, earliest, latest, timeline.events()));
        }
    }

    private void read(StoredLog.Piece piece) {
        try {
            Optional<WalSummary> summary = stored(piece);
            if (summary.isEmpty() && (piece.stored() || piece.length() >= PAGE)) {
                summary = Optional.of(made(piece));
            }
            summary.ifPresent(this::accept);
            end = piece.end();
            boolean cut = summary.isPresent() && !summary.get().complete();
            if (cut && follows(piece) && !isStillComing(piece, summary.get().end())) {
                end = summary.get().end();
                close();
                open(piece.end(), "no valid WAL in " + piece.segment());
            }
        } catch (MainstayException unreadable) {
            if (GENERAL.contains(unreadable.code())) {
                throw unreadable;
            }
            close();
            String why =
                    piece.segment()
                            + ": "
                            + unreadable.code().id()
                            + ": "
                            + unreadable.getMessage();
            open(piece.end(), why);
        }
    }

    private boolean follows(StoredLog.Piece piece) {
        return piece.isWhole() && log.piece(piece.segment().number() + 1).isPresent();
    }

    private void accept(WalSummary summary) {
        timeline.accept(summary);
        catalogs.saw(summary);
        WalSummary.Commits commits = summary.commits();
        if (commits.earliest().isPresent()
                && (earliest.isEmpty() || commits.earliest().get().isBefore(earliest.get()))) {
            earliest = commits.earliest();
        }
        if (commits.latest().isPresent()
                && (latest.isEmpty() || commits.latest().get().isAfter(latest.get()))) {
            latest = commits.latest();
        }
    }

    /// The summary stored with the segment; one that cannot be read can be made again.
    private Optional<WalSummary> stored(StoredLog.Piece piece) {
        if (!piece.stored() || !piece.isWhole()) {
            return Optional.empty();
        }
        try {
            return log.archive().getSummary(piece.segment()).map(WalSummary::decode);
        } catch (MainstayException unreadable) {
            if (GENERAL.contains(unreadable.code())) {
                throw unreadable;
            }
            return Optional.empty();
        }
    }

    private WalSummary made(StoredLog.Piece piece) {
        byte[] bytes = log.bytes(piece);
        return WalSummariser.summarise(
                piece.segment(),
                source(piece, bytes),
                WalLayout.read(bytes),
                catalogs(piece.segment()));
    }

    private WalSource source(StoredLog.Piece piece, byte[] bytes) {
        return WalSource.segments(
                piece.segment().sizeBytes(),
                number ->
                        number == piece.segment().number()
                                ? Optional.of(bytes)
                                : log.piece(number).map(log::bytes));
    }

    /// Whether what follows `position` is a record of which the end is not stored yet.
    private boolean isStillComing(StoredLog.Piece piece, Lsn position) {
        byte[] bytes = log.bytes(piece);
        return WalReader.seek(source(piece, bytes), WalLayout.read(bytes), position).next()
                        instanceof WalEnd end
                && end.reason() == WalEnd.Reason.SEGMENT_MISSING;
    }

    private PgClassFiles catalogs(WalSegment segment) {
        if (backups.isEmpty()) {
            backups = Optional.of(log.archive().source().backups().reversed());
        }
        return catalogs.at(catalogs.known(segment, backups.get()));
    }
}
