package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.file.Path;
import java.util.regex.Pattern;

/// The `restore_command` by which a restored server calls this very installation.
final class WalGetCall {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=@+-]+");

    private WalGetCall() {}

    static String of(Session session, String source, boolean standby) {
        String program = System.getProperty("mainstay.program", "");
        if (program.isEmpty()) {
            program = "mainstay"; // not run by the launcher: the server's search path decides
        }
        Path config =
                session.terminal()
                        .workingDirectory()
                        .resolve(session.configuration().origin())
                        .normalize();
        return quote(program)
                + " --config "
                + quote(config.toString())
                + " wal get --source "
                + quote(source)
                + session.copy().map(copy -> " --from " + quote(copy)).orElse("")
                + session.configuration()
                        .repository()
                        .asOf()
                        .map(time -> " --as-of " + time)
                        .orElse("")
                + (standby ? " --standby" : "")
                + " %f %p";
    }

    /// For the shell, and `%` for PostgreSQL.
    static String quote(String word) {
        if (word.indexOf('\n') >= 0) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID, "'" + word + "' cannot stand in a restore_command");
        }
        String escaped = word.replace("%", "%%");
        return PLAIN.matcher(word).matches() ? escaped : "'" + escaped.replace("'", "'\\''") + "'";
    }
}
