package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.NearestName;

import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Says what is wrong with a command line.
final class Usage {
    private Usage() {}

    /// Words behind a command that picocli takes whatever they are.
    static MainstayException notUnderstood(String command, List<String> words) {
        return new MainstayException(
                ErrorCode.USAGE_INVALID,
                "'" + command + " " + String.join(" ", words) + "' is not understood",
                "see 'mainstay " + command + " --help'",
                null);
    }

    static MainstayException error(ParameterException wrong) {
        CommandLine command = wrong.getCommandLine();
        return new MainstayException(
                ErrorCode.USAGE_INVALID,
                unmatched(wrong)
                        .map(argument -> unknown(command, argument))
                        .orElseGet(() -> sentence(String.valueOf(wrong.getMessage()))),
                "see '" + command.getCommandSpec().qualifiedName(" ") + " --help'",
                wrong);
    }

    /// What is missing may only be misspelt.
    private static Optional<String> unmatched(ParameterException wrong) {
        return switch (wrong) {
            case UnmatchedArgumentException unmatched ->
                    unmatched.getUnmatched().stream().findFirst();
            case MissingParameterException missing ->
                    missing.getCommandLine().getUnmatchedArguments().stream()
                            .filter(argument -> argument.startsWith("-"))
                            .findFirst();
            default -> Optional.empty();
        };
    }

    private static String unknown(CommandLine command, String argument) {
        boolean option = argument.startsWith("-");
        Collection<String> known =
                option
                        ? command.getCommandSpec().optionsMap().keySet()
                        : command.getSubcommands().keySet();
        String what =
                option
                        ? "unknown option"
                        : known.isEmpty() ? "too many arguments, first" : "unknown command";
        String word = option ? List.of(argument.split("=", 2)).getFirst() : argument;
        return what
                + " '"
                + word
                + "'"
                + NearestName.of(word, known)
                        .map(near -> "; did you mean '" + near + "'?")
                        .orElse("");
    }

    static String missingCommand(CommandLine command) {
        return "name a command: " + String.join(", ", command.getSubcommands().keySet());
    }

    private static String sentence(String message) {
        return message.isEmpty()
                ? message
                : message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1);
    }
}
