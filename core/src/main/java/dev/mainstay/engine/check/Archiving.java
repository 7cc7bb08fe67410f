package dev.mainstay.engine.check;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Who brings a server's WAL into the repository, judged by its settings and streams.
///
/// @param push whether archive_command calls `mainstay wal push`
/// @param pushSource the source that command names, if it names one
/// @param other another archive_command or archive_library
/// @param receiver whether `mainstay wal receive` is connected
/// @param nowhere whether archiving is on and its command is empty: the server keeps everything
record Archiving(
        boolean push,
        Optional<String> pushSource,
        Optional<String> other,
        boolean receiver,
        boolean nowhere) {
    private static final Pattern PUSH = Pattern.compile("mainstay\\b.*\\bwal\\s+push\\b");
    private static final Pattern SOURCE = Pattern.compile("--source[=\\s]+(['\"]?)([^'\"\\s]+)\\1");

    static Archiving of(ServerView view) {
        boolean on = !view.setting("archive_mode").equals("off");
        String command = view.setting("archive_command").strip();
        String library = view.setting("archive_library").strip();
        boolean push = on && library.isEmpty() && PUSH.matcher(command).find();
        Matcher source = SOURCE.matcher(command);
        // Without archiving, the server shows "(disabled)" for the command.
        Optional<String> other =
                !on || push
                        ? Optional.empty()
                        : Optional.of(library.isEmpty() ? command : library)
                                .filter(text -> !text.isEmpty());
        return new Archiving(
                push,
                push && source.find() ? Optional.of(source.group(2)) : Optional.empty(),
                other,
                view.receiver(),
                on
                        && library.isEmpty()
                        && command.isEmpty()
                        && view.settings().containsKey("archive_command"));
    }

    /// Whether the receiver's spool and slot matter: unless archive_command alone does the work.
    boolean usesReceiver(ServerView view) {
        return receiver || view.slot().isPresent() || !push;
    }
}
