package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay config check`
@Command(name = "config", subcommands = ConfigCheckCommand.class)
final class ConfigCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(ErrorCode.USAGE_INVALID, "say what to do: config check");
    }
}
