package dev.mainstay.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

import java.util.List;
import java.util.function.Supplier;

/// All commands. Only the ones that an argument names are looked into, because introspecting every
/// class would be half of the start time; of the others help shows name and description. For one
/// thread at a time.
final class Verbs {
    private static final List<Entry> ALL =
            List.of(
                    new Entry("init", "create the repository and its keys", InitCommand::new),
                    new Entry(
                            "check",
                            "is everything ready to back up and archive? what to do if not",
                            CheckCommand::new),
                    new Entry("config", "is the configuration right?", ConfigCommand::new),
                    new Entry("backup", "back up a source", BackupCommand::new),
                    new Entry(
                            "backups",
                            "list backups, show, hold or release one",
                            BackupsCommand::new),
                    new Entry(
                            "expire",
                            "remove the backups that the retention policy does not keep",
                            ExpireCommand::new),
                    new Entry(
                            "prune",
                            "free the space of what no backup refers to any more",
                            PruneCommand::new),
                    new Entry(
                            "usage",
                            "what the repository's space is used for, and what would free it",
                            UsageCommand::new),
                    new Entry(
                            "verify",
                            "prove that everything is readable, complete and continuous",
                            VerifyCommand::new),
                    new Entry(
                            "amcheck",
                            "have amcheck look through the databases of a running server",
                            AmcheckCommand::new),
                    new Entry(
                            "copy", "bring copies of the repository up to date", CopyCommand::new),
                    new Entry(
                            "keys",
                            "who can open the repository: list, add, remove, rotate, escrow, shred",
                            KeysCommand::new),
                    new Entry(
                            "lock", "extend the locks of what kept backups need", LockCommand::new),
                    new Entry(
                            "undelete",
                            "bring back what was deleted or overwritten since some time",
                            UndeleteCommand::new),
                    new Entry(
                            "wal",
                            "receive WAL, or serve archive_command and restore_command",
                            WalCommand::new),
                    new Entry(
                            "restore",
                            "bring a source back, as it was at any point of its recovery window",
                            RestoreCommand::new),
                    new Entry(
                            "recover",
                            "bring a single table back into a live database",
                            RecoverCommand::new),
                    new Entry(
                            "server",
                            "stay, and answer over HTTP: jobs, schedules, an API",
                            ServerCommand::new),
                    new Entry("jobs", "what a server does: list, follow, cancel", JobsCommand::new),
                    new Entry(
                            "alerts",
                            "what a server finds wrong: list, acknowledge, resolve",
                            AlertsCommand::new),
                    new Entry(
                            "confirmations",
                            "what somebody asks a server's leave to destroy: list, approve, refuse",
                            ConfirmationsCommand::new),
                    new Entry(
                            "audit",
                            "what was done through a server, by whom; prove that it is all there",
                            AuditCommand::new),
                    new Entry(
                            "notify",
                            "try the channels that alerts go through",
                            NotifyCommand::new),
                    new Entry(
                            "demo", "the whole story on an embedded PostgreSQL", DemoCommand::new),
                    new Entry(
                            "version",
                            "print the versions of Mainstay, its format and the JDK",
                            VersionCommand::new));

    private record Entry(String word, String description, Supplier<Object> command) {}

    private final Root root;
    private final CommandLine line;

    private Verbs(Root root, CommandLine line) {
        this.root = root;
        this.line = line;
    }

    /// @param arguments all words that it will ever have to parse, as far as they name verbs
    static Verbs of(List<String> arguments) {
        Root root = new Root();
        CommandLine line = new CommandLine(root);
        for (Entry verb : ALL) {
            CommandSpec spec =
                    arguments.contains(verb.word)
                            ? new CommandLine(verb.command.get()).getCommandSpec()
                            : CommandSpec.create();
            spec.usageMessage().description(verb.description);
            line.addSubcommand(verb.word, spec);
        }
        return new Verbs(root, line);
    }

    /// Sets all options and parameters anew, whatever was parsed before.
    ParseResult parse(List<String> arguments) {
        return line.parseArgs(arguments.toArray(String[]::new));
    }

    /// The options of the last [#parse].
    Root root() {
        return root;
    }
}
