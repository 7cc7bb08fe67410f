package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.postgres.wal.WalTarget;

import picocli.CommandLine.Option;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Which moment is wanted; shared by the commands that restore.
final class TargetOptions {
    enum Target {
        immediate,
        latest
    }

    @Option(
            names = "--target-time",
            paramLabel = "TIME",
            description = "the last moment before the first commit after TIME")
    private Optional<String> time = Optional.empty();

    @Option(names = "--target-lsn", paramLabel = "LSN", description = "a position in the log")
    private Optional<String> lsn = Optional.empty();

    @Option(names = "--target-xid", paramLabel = "XID", description = "a transaction's end")
    private Optional<String> xid = Optional.empty();

    @Option(names = "--target-name", paramLabel = "NAME", description = "a restore point")
    private Optional<String> name = Optional.empty();

    @Option(
            names = "--target",
            paramLabel = "immediate|latest",
            description = "the end of the backup, or everything that is stored (default)")
    private Optional<Target> target = Optional.empty();

    @Option(names = "--exclusive", description = "stop just before the target")
    private boolean exclusive;

    @Option(
            names = "--timeline",
            paramLabel = "latest|current|N",
            description = "along which timeline (default: latest)")
    private String timeline = "latest";

    RestoreTarget target() {
        List<RestoreTarget> given = new ArrayList<>();
        boolean inclusive = !exclusive;
        time.map(text -> new WalTarget.AtTime(TargetTime.parse("--target-time", text), inclusive))
                .map(RestoreTarget.At::new)
                .ifPresent(given::add);
        lsn.map(text -> new WalTarget.AtLsn(lsn(text), inclusive))
                .map(RestoreTarget.At::new)
                .ifPresent(given::add);
        xid.map(text -> new WalTarget.AtXid(xid(text), inclusive))
                .map(RestoreTarget.At::new)
                .ifPresent(given::add);
        name.map(WalTarget.AtName::new).map(RestoreTarget.At::new).ifPresent(given::add);
        target.map(
                        word ->
                                switch (word) {
                                    case immediate -> new RestoreTarget.Immediate();
                                    case latest -> new RestoreTarget.Latest();
                                })
                .ifPresent(given::add);
        if (given.size() > 1) {
            throw usage("more than one target is given");
        }
        if (exclusive && (time.isEmpty() && lsn.isEmpty() && xid.isEmpty())) {
            throw usage("--exclusive goes with --target-time, --target-lsn or --target-xid");
        }
        return given.isEmpty() ? new RestoreTarget.Latest() : given.getFirst();
    }

    TimelineChoice timeline() {
        try {
            return switch (timeline) {
                case "latest" -> new TimelineChoice.Latest();
                case "current" -> new TimelineChoice.Current();
                default ->
                        new TimelineChoice.Named(TimelineId.of(Integer.parseUnsignedInt(timeline)));
            };
        } catch (IllegalArgumentException wrong) {
            throw usage("--timeline '" + timeline + "' is neither latest, current nor a number");
        }
    }

    private static Lsn lsn(String text) {
        try {
            return Lsn.parse(text);
        } catch (IllegalArgumentException wrong) {
            throw usage("--target-lsn '" + text + "' is no position like 16/B374D848");
        }
    }

    private static long xid(String text) {
        try {
            return Integer.toUnsignedLong(Integer.parseUnsignedInt(text));
        } catch (NumberFormatException wrong) {
            throw usage("--target-xid '" + text + "' is no transaction number");
        }
    }

    private static MainstayException usage(String what) {
        return new MainstayException(ErrorCode.USAGE_INVALID, what);
    }
}
