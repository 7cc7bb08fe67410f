package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay wal receive|push|get|timeline`
@Command(
        name = "wal",
        subcommands = {
            WalReceiveCommand.class,
            WalPushCommand.class,
            WalGetCommand.class,
            WalTimelineCommand.class
        })
final class WalCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(
                ErrorCode.USAGE_INVALID, "say what to do: wal receive, wal push or wal get");
    }
}
