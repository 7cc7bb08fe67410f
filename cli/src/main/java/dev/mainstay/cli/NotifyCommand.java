package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay notify test`
@Command(name = "notify", subcommands = NotifyTestCommand.class)
final class NotifyCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(ErrorCode.USAGE_INVALID, "say what to do: notify test");
    }
}
