package dev.mainstay.cli;

import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.engine.restore.TimelineChoice;
import dev.mainstay.engine.restore.WantedTarget;

import picocli.CommandLine.Option;

import java.util.HashMap;
import java.util.Map;
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
        return wanted().target();
    }

    TimelineChoice timeline() {
        return wanted().timelineChoice();
    }

    /// For `POST /api/v1/restores`.
    ///
    /// @throws dev.mainstay.base.MainstayException USAGE_INVALID if that is no target
    Map<String, Object> body() {
        target();
        timeline();
        Map<String, Object> body = new HashMap<>();
        time.ifPresent(text -> body.put("targetTime", text));
        lsn.ifPresent(text -> body.put("targetLsn", text));
        xid.ifPresent(text -> body.put("targetXid", text));
        name.ifPresent(text -> body.put("targetName", text));
        target.ifPresent(word -> body.put("target", word.name()));
        if (exclusive) {
            body.put("exclusive", true);
        }
        body.put("timeline", timeline);
        return body;
    }

    private WantedTarget wanted() {
        return new WantedTarget(
                time,
                lsn,
                xid,
                name,
                target.map(Target::name),
                exclusive,
                timeline,
                option -> "--" + option);
    }
}
