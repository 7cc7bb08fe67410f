package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay wal receive|push|get|agent|timeline`
@Command(
        name = "wal",
        subcommands = {
            WalReceiveCommand.class,
            WalPushCommand.class,
            WalGetCommand.class,
            WalAgentCommand.class,
            WalTimelineCommand.class
        })
final class WalCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(
                ErrorCode.USAGE_INVALID,
                "say what to do: wal receive, wal push, wal get, wal agent or wal timeline");
    }
}
