package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.KeySource;
import dev.mainstay.engine.config.Secret;
import dev.mainstay.repository.Recipient;
import dev.mainstay.repository.ShreddedSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// What the commands below `mainstay keys` share.
final class Keys {
    private Keys() {}

    static Path path(Session session, Path file) {
        return session.terminal().workingDirectory().resolve(file).normalize();
    }

    /// The key that a configuration names.
    static KeySource keyOf(Session session, Path configuration) {
        return new ConfigurationReader(session.terminal().environment())
                .read(path(session, configuration))
                .repository()
                .requireKey();
    }

    /// @throws MainstayException CONFIG_VARIABLE_UNSET
    static Secret variable(Session session, String name) {
        String value = session.terminal().environment().get(name);
        if (value == null) {
            throw new MainstayException(
                    ErrorCode.CONFIG_VARIABLE_UNSET,
                    "environment variable " + name + " is not set",
                    "set it to the passphrase; the option wants the name of the variable",
                    null);
        }
        return NewKeyOptions.secret(value, "environment variable " + name);
    }

    /// @throws MainstayException KEY_MISSING
    static Secret firstLine(Session session, Path file) {
        Path path = path(session, file);
        try {
            String text = Files.readString(path);
            return NewKeyOptions.secret(text.lines().findFirst().orElse(""), "file " + path);
        } catch (IOException unreadable) {
            throw new MainstayException(
                    ErrorCode.KEY_MISSING,
                    "passphrase file " + path + " cannot be read: " + unreadable,
                    "a file whose first line is the passphrase, readable for its owner alone",
                    unreadable);
        }
    }

    /// A row each.
    static Table table(List<Recipient> recipients) {
        Table table = Table.of("recipient", "kind", "created", "epochs", "thisKey", "key", "label");
        for (Recipient each : recipients) {
            table.row(
                    each.id(),
                    each.kind(),
                    each.created(),
                    epochs(each.epochs()),
                    each.opens() ? "yes" : "no",
                    each.key(),
                    each.label());
        }
        return table;
    }

    /// What was destroyed on purpose; a row each.
    static Table shredded(List<ShreddedSource> sources) {
        Table table = Table.of("shredded", "on", "reason");
        sources.forEach(gone -> table.row(gone.name(), gone.when(), gone.reason()));
        return table;
    }

    /// `1-3, 5`
    static String epochs(Iterable<Integer> numbers) {
        List<String> runs = new ArrayList<>();
        int from = 0;
        int to = -1;
        for (int number : numbers) {
            if (number == to + 1 && to > 0) {
                to = number;
            } else {
                run(runs, from, to);
                from = number;
                to = number;
            }
        }
        run(runs, from, to);
        return String.join(", ", runs);
    }

    private static void run(List<String> runs, int from, int to) {
        if (from > 0) {
            runs.add(from == to ? String.valueOf(from) : from + "-" + to);
        }
    }

    /// Sources in whose records a change is missing.
    static void warn(Document document, Map<String, String> unrecorded, List<String> more) {
        List<String> warnings = new ArrayList<>(more);
        unrecorded.forEach(
                (source, why) -> warnings.add("not on record for source " + source + ": " + why));
        if (!warnings.isEmpty()) {
            document.addAll("warnings", warnings);
        }
    }
}
