package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.archive.StoredLog;
import dev.mainstay.engine.archive.StoredTimeline;
import dev.mainstay.engine.archive.ToldTimeline;
import dev.mainstay.engine.restore.TargetTime;
import dev.mainstay.engine.retention.RecoveryWindow;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.RepositoryView;
import dev.mainstay.server.view.WalPicture;
import dev.mainstay.server.wal.ReceiverTable;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What a source can be brought back to: `/api/v1/sources/{source}/window`, `/wal` and `/timeline`
@RestController
public final class RecoveryController {
    private final RepositoryView view;
    private final ReceiverTable receivers;

    public RecoveryController(RepositoryView view, ReceiverTable receivers) {
        this.view = view;
        this.receivers = receivers;
    }

    /// Every second from `everySecondFrom` on can be recovered, as far as WAL is stored.
    ///
    /// @param fromBackup with which recovery to the window's first second begins
    @Schema(name = "RecoveryWindow")
    record Window(
            String systemId,
            long timeline,
            Instant everySecondFrom,
            String fromLsn,
            String fromBackup) {
        static Window of(RecoveryWindow window) {
            return new Window(
                    window.system().toString(),
                    Integer.toUnsignedLong(window.timeline().value()),
                    window.from().end(),
                    window.from().stop().toString(),
                    window.from().id().text());
        }
    }

    /// @param toLsn where what is stored of the newest timeline ends
    /// @param lastCommit the newest that can be recovered, as far as stored segments tell
    @Schema(name = "RecoveryWindows")
    record Windows(
            List<Window> windows, @Nullable String toLsn, @Nullable Instant lastCommit) {}

    @GetMapping("/api/v1/sources/{source}/window")
    @LeastRole(Role.VIEWER)
    @SourceGrant("source")
    @Operation(summary = "from when to when a source can be brought back to any second")
    Windows window(@PathVariable String source) {
        List<Window> windows = view.plan(source).before().stream().map(Window::of).toList();
        Optional<WalPicture> wal =
                view.source(source).newest().isPresent()
                        ? Optional.of(view.wal(source))
                        : Optional.empty();
        return new Windows(
                windows,
                wal.flatMap(WalPicture::ends).map(Lsn::toString).orElse(null),
                wal.flatMap(WalPicture::lastCommit).orElse(null));
    }

    /// @param why `freed by retention` or `not stored`
    @Schema(name = "WalGap")
    record Gap(String fromLsn, String toLsn, String why) {
        static Gap of(StoredLog.Gap gap) {
            return new Gap(
                    gap.begin().toString(),
                    gap.end().toString(),
                    gap.freed() ? "freed by retention" : "not stored");
        }
    }

    /// @param beginsLsn of the oldest stretch
    /// @param endsLsn first byte after all that is stored
    /// @param receiver how it fares, if a server receives this source's WAL
    @Schema(name = "Wal")
    record Wal(
            String systemId,
            long timeline,
            @Nullable String beginsLsn,
            @Nullable String endsLsn,
            @Nullable Instant lastCommit,
            List<Gap> gaps,
            ReceiversController.@Nullable View receiver) {}

    @GetMapping("/api/v1/sources/{source}/wal")
    @LeastRole(Role.VIEWER)
    @SourceGrant("source")
    @Operation(summary = "what is stored of the log along the newest timeline, and what is missing")
    Wal wal(@PathVariable String source) {
        WalPicture wal = view.wal(source);
        return new Wal(
                wal.system().toString(),
                Integer.toUnsignedLong(wal.timeline().value()),
                wal.begins().map(Lsn::toString).orElse(null),
                wal.ends().map(Lsn::toString).orElse(null),
                wal.lastCommit().orElse(null),
                wal.gaps().stream().map(Gap::of).toList(),
                receivers.find(source).map(ReceiversController.View::of).orElse(null));
    }

    /// @param lsn where it happened; none where commits are counted
    /// @param restore the target of a restore to the moment before, or why there is none
    @Schema(name = "TimelineEvent")
    record Event(
            @Nullable Instant time,
            @Nullable String lsn,
            @Nullable String xid,
            String kind,
            String event,
            @Nullable String restore) {
        static Event of(ToldTimeline.Row row) {
            return new Event(
                    row.time().orElse(null),
                    row.lsn().isNone() ? null : row.lsn().toString(),
                    row.xid().isEmpty() ? null : row.xid(),
                    row.kind(),
                    row.text(),
                    row.restore().isEmpty() ? null : row.restore());
        }
    }

    /// @param newest the newest timeline of the source
    /// @param storedFromLsn where what is stored of it begins; null if that is nothing
    /// @param storedToLsn where that ends
    /// @param endsLsn of what is stored, where the range goes on beyond it
    /// @param warnings what is damaged or missing, so that less is told
    @Schema(name = "Timeline")
    record Timeline(
            long timeline,
            long newest,
            @Nullable Instant firstCommit,
            @Nullable Instant lastCommit,
            @Nullable String storedFromLsn,
            @Nullable String storedToLsn,
            int gaps,
            double intervalSeconds,
            List<Event> events,
            @Nullable String endsLsn,
            List<String> warnings) {
        static Timeline of(RepositoryView.LogStory log) {
            ToldTimeline told = log.told();
            List<StoredTimeline.Stretch> stretches = told.story().stretches();
            boolean none = stretches.isEmpty();
            return new Timeline(
                    Integer.toUnsignedLong(told.story().history().timeline().value()),
                    Integer.toUnsignedLong(log.newest().value()),
                    told.story().earliest().orElse(null),
                    told.story().latest().orElse(null),
                    none ? null : stretches.getFirst().begin().toString(),
                    none ? null : stretches.getLast().end().toString(),
                    none ? 0 : stretches.size() - 1,
                    told.interval().toMillis() / 1000.0,
                    told.rows().stream().map(Event::of).toList(),
                    told.end().map(Lsn::toString).orElse(null),
                    log.warnings());
        }
    }

    /// In the words of a restore's body.
    private record Call() implements ToldTimeline.RestoreCall {
        @Override
        public String before(Lsn lsn) {
            return "targetLsn " + lsn + ", exclusive";
        }

        @Override
        public String at(String restorePoint) {
            return "targetName " + restorePoint;
        }
    }

    @GetMapping("/api/v1/sources/{source}/timeline")
    @LeastRole(Role.VIEWER)
    @SourceGrant("source")
    @Operation(summary = "what happened when, and how to go back to the moment before")
    Timeline timeline(
            @PathVariable String source,
            @RequestParam Optional<String> from,
            @RequestParam Optional<String> to,
            @RequestParam Optional<String> interval,
            @RequestParam Optional<String> timeline) {
        return Timeline.of(
                view.timeline(
                        source,
                        timeline.map(RecoveryController::id),
                        ToldTimeline.Range.of(
                                from.map(text -> TargetTime.parse("from", text)),
                                to.map(text -> TargetTime.parse("to", text)),
                                "from",
                                "to"),
                        interval.map(ToldTimeline::interval),
                        new Call()));
    }

    private static TimelineId id(String text) {
        try {
            return TimelineId.of(Integer.parseUnsignedInt(text));
        } catch (IllegalArgumentException wrong) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "timeline '" + text + "' is no number", wrong);
        }
    }
}
