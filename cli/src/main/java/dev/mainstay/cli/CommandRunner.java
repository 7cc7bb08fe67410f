package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;

import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Runs one command line from its arguments to its exit code: parses, runs the verb, prints its
/// document or the error. Everything it touches is passed in, so tests run it in their own process.
final class CommandRunner {
    private final Terminal terminal;
    private final InstantSource clock;
    private final Interruption interruption;
    private final WalRoute wal;

    CommandRunner(Terminal terminal, InstantSource clock, Interruption interruption) {
        this(terminal, clock, interruption, new DirectWal());
    }

    CommandRunner(Terminal terminal, InstantSource clock, Interruption interruption, WalRoute wal) {
        this.wal = wal;
        this.terminal = terminal;
        this.clock = clock;
        this.interruption = interruption;
    }

    /// @return 0 success, 1 refused or failed, 2 wrong usage, or what the document says
    int run(List<String> arguments) {
        return run(arguments, Verbs::of);
    }

    /// @param verbs gives those that can parse these arguments
    int run(List<String> arguments, Function<List<String>, Verbs> verbs) {
        try {
            Verbs all = verbs.apply(arguments);
            ParseResult parsed = all.parse(arguments);
            return run(all.root(), parsed);
        } catch (ParameterException wrong) {
            return failed(Usage.error(wrong), wantsJson(arguments), wrong);
        } catch (Exception | Error wrong) { // an Error: no memory, a class that cannot be loaded
            return failed(error(wrong), wantsJson(arguments), wrong);
        } finally {
            terminal.out().flush();
            terminal.err().flush();
        }
    }

    private int run(Root root, ParseResult parsed) throws Exception {
        ParseResult last = parsed;
        while (last.hasSubcommand()) {
            last = last.subcommand();
        }
        CommandLine command = last.commandSpec().commandLine();
        if (last.isUsageHelpRequested()) {
            print(command.getUsageMessage(CommandLine.Help.Ansi.OFF));
            return Exits.OK;
        }
        if (parsed.isVersionHelpRequested()) {
            return finish(VersionCommand.document(), root.output);
        }
        if (!(last.commandSpec().userObject() instanceof Verb verb)) {
            throw new ParameterException(command, Usage.missingCommand(command));
        }
        Progress progress = ProgressChoice.of(terminal, root.output, root.quiet);
        Session session =
                new Session(
                        terminal,
                        root.output,
                        Optional.ofNullable(root.config),
                        clock,
                        progress,
                        wal);
        interruption.begin();
        try {
            return finish(run(verb, session), root.output);
        } finally {
            progress.end();
        }
    }

    private static Document run(Verb verb, Session session) throws Exception {
        try {
            return verb.run(session);
        } finally {
            session.progress().end();
        }
    }

    private int finish(Document document, Output output) {
        print(
                output == Output.json
                        ? JsonText.of(document) + "\n"
                        : PlainText.of(document, terminal.colorsOut()));
        return document.exitCode();
    }

    private void print(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        terminal.out().write(bytes, 0, bytes.length);
    }

    private MainstayException error(Throwable wrong) {
        if (interruption.isRequested() || wrong instanceof InterruptedException) {
            return wrong instanceof MainstayException known && known.code() == ErrorCode.INTERRUPTED
                    ? known
                    : new MainstayException(
                            ErrorCode.INTERRUPTED, "stopped by a signal before it was done", wrong);
        }
        if (wrong instanceof MainstayException known) {
            return known;
        }
        if (wrong instanceof OutOfMemoryError) {
            return new MainstayException(
                    ErrorCode.INTERNAL,
                    "the memory is not enough: " + wrong.getMessage(),
                    "give it more, and please report it: MAINSTAY_JAVA_OPTS=-Xmx1g",
                    wrong);
        }
        return new MainstayException(
                ErrorCode.INTERNAL,
                "unexpected " + wrong.getClass().getName() + ": " + wrong.getMessage(),
                ErrorCode.INTERNAL.hint() + "; MAINSTAY_DEBUG=1 shows where it happened",
                wrong);
    }

    private int failed(MainstayException error, boolean json, Throwable cause) {
        if (json) {
            print(JsonText.of(error) + "\n");
        } else {
            terminal.err().println("ERROR: [" + error.code().id() + "] " + error.getMessage());
            terminal.err().println("HINT: " + error.hint());
        }
        if ("1".equals(terminal.environment().get("MAINSTAY_DEBUG"))) {
            cause.printStackTrace(terminal.err());
        }
        return switch (error.code()) {
            case USAGE_INVALID -> Exits.USAGE;
            case INTERRUPTED -> Exits.INTERRUPTED;
            default -> Exits.FAILED;
        };
    }

    /// From the bare arguments, since an error in them must be told in the wanted way as well.
    private static boolean wantsJson(List<String> arguments) {
        int output = arguments.lastIndexOf("--output");
        return arguments.contains("--output=json")
                || (output >= 0
                        && output + 1 < arguments.size()
                        && arguments.get(output + 1).equals("json"));
    }
}
