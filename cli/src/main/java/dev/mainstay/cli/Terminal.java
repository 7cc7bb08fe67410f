package dev.mainstay.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;

/// The outside world of one run: streams, whether people sit at them, environment and folder.
///
/// @param columns width of the terminal on standard error; one that says 0 (serial lines, some
///   containers) has [#DEFAULT_COLUMNS]. The library of the bar would else ask the terminal itself,
///   and in doing so take the JVM's signal handlers away: Ctrl-C would end it without cleaning up.
record Terminal(
        InputStream in,
        PrintStream out,
        PrintStream err,
        boolean inIsTerminal,
        boolean outIsTerminal,
        boolean errIsTerminal,
        int columns,
        Map<String, String> environment,
        Path workingDirectory) {
    static final int DEFAULT_COLUMNS = 80;

    Terminal {
        columns = columns > 0 ? columns : DEFAULT_COLUMNS;
    }

    /// Colours are for people, and only for those who did not ask to be spared (no-color.org).
    boolean colorsOut() {
        return outIsTerminal
                && environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !"dumb".equals(environment.get("TERM"));
    }
}
