package dev.mainstay.cli;

import dev.mainstay.engine.Progress;

/// Bars for people, lines for logs, nothing for programs.
final class ProgressChoice {
    private ProgressChoice() {}

    static Progress of(Terminal terminal, Output output, boolean quiet) {
        if (quiet || output == Output.json) {
            return Progress.none();
        }
        return terminal.errIsTerminal() && !"dumb".equals(terminal.environment().get("TERM"))
                ? new BarProgress(terminal.err(), terminal.columns())
                : new LineProgress(terminal.err(), System::nanoTime);
    }
}
