package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.RestoreRequest;
import dev.mainstay.engine.restore.RestoreRequest.Action;
import dev.mainstay.engine.restore.RestoreTarget;

import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// How far a restore goes and what the server does there; shared by the commands that restore.
final class RecoveryOptions {
    enum TargetAction {
        pause,
        promote,
        shutdown
    }

    enum Archive {
        off,
        keep
    }

    @Mixin private TargetOptions targets = new TargetOptions();

    @Option(
            names = "--target-action",
            paramLabel = "pause|promote|shutdown",
            description =
                    "what the server does at the target (default: pause; with --database promote)")
    private Optional<TargetAction> action = Optional.empty();

    @Option(names = "--standby", description = "stay in recovery and follow what is archived")
    private boolean standby;

    @Option(
            names = "--archive",
            paramLabel = "off|keep",
            description =
                    "whether the restored cluster archives: keep only if it replaces its source"
                            + " (default: off)")
    private Archive archive = Archive.off;

    RestoreRequest.Recovery recovery(String restoreCommand) {
        return recovery(restoreCommand, Action.PAUSE);
    }

    /// @param usually what the server does at the target unless something else was said
    RestoreRequest.Recovery recovery(String restoreCommand, Action usually) {
        RestoreTarget chosen = targets.target();
        if (standby && !(chosen instanceof RestoreTarget.Latest)) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "--standby goes on for ever and takes no target");
        }
        return new RestoreRequest.Recovery(
                chosen,
                targets.timeline(),
                action.map(word -> Action.valueOf(word.name().toUpperCase(Locale.ROOT)))
                        .orElse(usually),
                standby,
                archive == Archive.keep,
                restoreCommand);
    }

    /// For `POST /api/v1/restores`.
    ///
    /// @throws MainstayException USAGE_INVALID if something is given that a server does not do
    Map<String, Object> body(ServerOption server) {
        server.without("--standby", standby).without("--archive keep", archive == Archive.keep);
        Map<String, Object> body = targets.body();
        action.ifPresent(word -> body.put("targetAction", word.name()));
        return body;
    }

    boolean standby() {
        return standby;
    }
}
