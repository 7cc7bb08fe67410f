package dev.mainstay.cli;

import org.jspecify.annotations.Nullable;

import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

import java.nio.file.Path;

/// What stands before any command, and may stand behind it as well.
@Command(
        name = "mainstay",
        description = "Keeps PostgreSQL clusters recoverable, and proves it.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        optionListHeading = "%nOptions:%n",
        sortOptions = false)
final class Root {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            description =
                    "configuration (default: ./mainstay.yaml, then /etc/mainstay/mainstay.yaml)")
    @Nullable Path config;

    @Option(
            names = "--output",
            paramLabel = "FORMAT",
            scope = ScopeType.INHERIT,
            description = "text (default) or json: one document on standard output")
    Output output = Output.text;

    @Option(
            names = "--quiet",
            scope = ScopeType.INHERIT,
            description = "no progress; errors and results only")
    boolean quiet;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "show this help")
    boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "print the version")
    boolean version;
}
