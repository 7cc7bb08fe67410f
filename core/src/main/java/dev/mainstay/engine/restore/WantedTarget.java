package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.wal.WalTarget;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// A moment to restore to, as somebody wrote it; at most one of the first five is given.
///
/// @param time the last moment before the first commit after it
/// @param word `immediate` or `latest`
/// @param exclusive just before the target
/// @param timeline `latest`, `current` or a number
/// @param naming from `target-time` and so on to what whoever wrote it calls that
public record WantedTarget(
        Optional<String> time,
        Optional<String> lsn,
        Optional<String> xid,
        Optional<String> name,
        Optional<String> word,
        boolean exclusive,
        String timeline,
        UnaryOperator<String> naming) {
    /// @throws MainstayException USAGE_INVALID
    public RestoreTarget target() {
        List<RestoreTarget> given = new ArrayList<>();
        boolean inclusive = !exclusive;
        time.map(
                        text ->
                                new WalTarget.AtTime(
                                        TargetTime.parse(naming.apply("target-time"), text),
                                        inclusive))
                .map(RestoreTarget.At::new)
                .ifPresent(given::add);
        lsn.map(text -> new WalTarget.AtLsn(lsn(text), inclusive))
                .map(RestoreTarget.At::new)
                .ifPresent(given::add);
        xid.map(text -> new WalTarget.AtXid(xid(text), inclusive))
                .map(RestoreTarget.At::new)
                .ifPresent(given::add);
        name.map(WalTarget.AtName::new).map(RestoreTarget.At::new).ifPresent(given::add);
        word.map(this::word).ifPresent(given::add);
        if (given.size() > 1) {
            throw usage("more than one target is given");
        }
        if (exclusive && time.isEmpty() && lsn.isEmpty() && xid.isEmpty()) {
            throw usage(
                    naming.apply("exclusive")
                            + " goes with "
                            + naming.apply("target-time")
                            + ", "
                            + naming.apply("target-lsn")
                            + " or "
                            + naming.apply("target-xid"));
        }
        return given.isEmpty() ? new RestoreTarget.Latest() : given.getFirst();
    }

    /// @throws MainstayException USAGE_INVALID
    public TimelineChoice timelineChoice() {
        try {
            return switch (timeline) {
                case "latest" -> new TimelineChoice.Latest();
                case "current" -> new TimelineChoice.Current();
                default ->
                        new TimelineChoice.Named(TimelineId.of(Integer.parseUnsignedInt(timeline)));
            };
        } catch (IllegalArgumentException wrong) {
            throw usage(
                    naming.apply("timeline")
                            + " '"
                            + timeline
                            + "' is neither latest, current nor a number");
        }
    }

    private RestoreTarget word(String text) {
        return switch (text) {
            case "immediate" -> new RestoreTarget.Immediate();
            case "latest" -> new RestoreTarget.Latest();
            default ->
                    throw usage(
                            naming.apply("target")
                                    + " '"
                                    + text
                                    + "' is neither immediate nor latest");
        };
    }

    private Lsn lsn(String text) {
        try {
            return Lsn.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw usage(
                    naming.apply("target-lsn") + " '" + text + "' is no position like 16/B374D848");
        }
    }

    private long xid(String text) {
        try {
            return Integer.toUnsignedLong(Integer.parseUnsignedInt(text));
        } catch (NumberFormatException wrong) {
            throw usage(naming.apply("target-xid") + " '" + text + "' is no transaction number");
        }
    }

    private static MainstayException usage(String what) {
        return new MainstayException(ErrorCode.USAGE_INVALID, what);
    }
}
