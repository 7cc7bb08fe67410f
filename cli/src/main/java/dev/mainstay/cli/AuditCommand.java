package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import picocli.CommandLine.Command;

/// `mainstay audit list|verify`
@Command(
        name = "audit",
        subcommands = {AuditListCommand.class, AuditVerifyCommand.class})
final class AuditCommand implements Verb {
    @Override
    public Document run(Session session) {
        throw new MainstayException(
                ErrorCode.USAGE_INVALID, "say what to do: audit list or audit verify");
    }
}
