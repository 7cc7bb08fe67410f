package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay recover table`
@Command(name = "recover", subcommands = RecoverTableCommand.class)
final class RecoverCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(
                ErrorCode.USAGE_INVALID, "say what to recover: recover table SOURCE SCHEMA.TABLE");
    }
}
