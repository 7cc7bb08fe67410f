package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay lock extend`
@Command(name = "lock", subcommands = LockExtendCommand.class)
final class LockCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(ErrorCode.USAGE_INVALID, "say what to do: lock extend");
    }
}
