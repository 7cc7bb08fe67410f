package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

final class TerminalTest {
    /// With 0 the bar's library opens the terminal and resets the signal handlers of the JVM.
    @Test
    void aTerminalWithoutASizeHasTheUsualOne() {
        assertThat(terminal(0).columns()).isEqualTo(Terminal.DEFAULT_COLUMNS);
        assertThat(terminal(-1).columns()).isEqualTo(Terminal.DEFAULT_COLUMNS);
        assertThat(terminal(132).columns()).isEqualTo(132);
    }

    private static Terminal terminal(int columns) {
        PrintStream nowhere =
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        return new Terminal(
                InputStream.nullInputStream(),
                nowhere,
                nowhere,
                true,
                true,
                true,
                columns,
                Map.of(),
                Path.of(""));
    }
}
