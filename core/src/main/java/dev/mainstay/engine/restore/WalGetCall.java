package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Configuration;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/// The `restore_command` by which a restored server calls this very installation.
public final class WalGetCall {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=@+-]+");

    private WalGetCall() {}

    /// @param workingDirectory where the configuration's own name begins
    /// @param copy from where WAL comes, if not from the repository
    public static String of(
            Configuration configuration,
            Path workingDirectory,
            String source,
            Optional<String> copy,
            boolean standby) {
        String program = System.getProperty("mainstay.program", "");
        if (program.isEmpty()) {
            program = "mainstay"; // not run by the launcher: the server's search path decides
        }
        Path config = workingDirectory.resolve(configuration.origin()).normalize();
        return quote(program)
                + " --config "
                + quote(config.toString())
                + " wal get --source "
                + quote(source)
                + copy.map(name -> " --from " + quote(name)).orElse("")
                + configuration.repository().asOf().map(time -> " --as-of " + time).orElse("")
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
