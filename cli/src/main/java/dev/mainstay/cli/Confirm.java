package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// Asks before something is destroyed.
final class Confirm {
    private Confirm() {}

    /// @param danger what will be lost, as a sentence without its end
    /// @param yes whether `--yes` was given
    /// @throws MainstayException `CONFIRMATION_NEEDED` unless somebody agreed
    static void danger(Session session, String danger, boolean yes) throws IOException {
        if (yes) {
            return;
        }
        demandTerminal(session, danger, "--yes");
        String answer =
                ask(session.terminal(), danger + ". Go on? [y/N] ").toLowerCase(Locale.ROOT);
        if (!answer.equals("y") && !answer.equals("yes")) {
            throw new MainstayException(
                    ErrorCode.CONFIRMATION_NEEDED,
                    "the answer was not 'y', so nothing was changed: " + danger);
        }
    }

    /// As [#danger], for what is so bad that a word has to be typed.
    ///
    /// @param word what to type, such as the name of what is destroyed
    /// @param given the word as `--confirm` gave it
    /// @throws MainstayException `CONFIRMATION_NEEDED` unless it is the word
    static void typed(Session session, String danger, String word, Optional<String> given)
            throws IOException {
        if (given.isEmpty()) {
            demandTerminal(session, danger, "--confirm " + word);
        }
        String answer =
                given.isPresent()
                        ? given.get()
                        : ask(
                                session.terminal(),
                                danger + ". Type '" + word + "' if that is wanted: ");
        if (!answer.equals(word)) {
            throw new MainstayException(
                    ErrorCode.CONFIRMATION_NEEDED,
                    "the answer was not '" + word + "', so nothing was changed: " + danger);
        }
    }

    private static void demandTerminal(Session session, String danger, String option) {
        Terminal terminal = session.terminal();
        if (!terminal.inIsTerminal()
                || !terminal.errIsTerminal()
                || session.output() == Output.json) {
            throw new MainstayException(
                    ErrorCode.CONFIRMATION_NEEDED,
                    "nobody can be asked here, so nothing was changed: " + danger,
                    "if that is wanted, run it again with " + option + ", or on a terminal",
                    null);
        }
    }

    private static String ask(Terminal terminal, String question) throws IOException {
        terminal.err().print(question);
        terminal.err().flush();
        return answer(terminal.in()).strip();
    }

    /// Asks for more than a yes: the words that name what it is about.
    ///
    /// @param expected what has to be typed, or given
    /// @param given by an option, where nobody can be asked
    /// @param option which
    /// @throws MainstayException `CONFIRMATION_NEEDED` unless exactly that was typed or given
    static void typed(
            Session session, String danger, String expected, Optional<String> given, String option)
            throws IOException {
        Terminal terminal = session.terminal();
        boolean asks =
                given.isEmpty()
                        && terminal.inIsTerminal()
                        && terminal.errIsTerminal()
                        && session.output() != Output.json;
        if (asks) {
            terminal.err().print(danger + ". Type " + expected + " to go on: ");
            terminal.err().flush();
        }
        String answer = asks ? answer(terminal.in()).strip() : given.orElse("");
        if (!answer.equals(expected)) {
            throw new MainstayException(
                    ErrorCode.CONFIRMATION_NEEDED,
                    "nothing was changed: " + danger,
                    "if that is wanted, run it on a terminal and type "
                            + expected
                            + ", or give "
                            + option
                            + " "
                            + expected,
                    null);
        }
    }

    /// Waits on another thread, because no signal reaches one that reads from a terminal.
    private static String answer(InputStream in) throws IOException {
        FutureTask<String> line = new FutureTask<>(() -> line(in));
        Thread.ofPlatform().daemon().name("answer").start(line);
        try {
            return line.get();
        } catch (InterruptedException stopped) {
            throw new MainstayException(
                    ErrorCode.INTERRUPTED, "stopped by a signal; nothing was changed", stopped);
        } catch (ExecutionException failed) {
            throw new IOException("cannot read the answer: " + failed.getCause(), failed);
        }
    }

    /// Byte by byte, so that what follows the line stays for whoever reads next.
    private static String line(InputStream in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            line.append((char) c);
        }
        return new String(
                line.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }
}
