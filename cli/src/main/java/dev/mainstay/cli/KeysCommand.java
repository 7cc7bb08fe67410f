package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay keys list|add|remove|rewrap|rotate|escrow|shred`
@Command(
        name = "keys",
        subcommands = {
            KeysListCommand.class,
            KeysAddCommand.class,
            KeysRemoveCommand.class,
            KeysRewrapCommand.class,
            KeysRotateCommand.class,
            KeysEscrowCommand.class,
            KeysShredCommand.class
        })
final class KeysCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(
                ErrorCode.USAGE_INVALID,
                "say what to do: keys list, add, remove, rewrap, rotate, escrow or shred");
    }
}
