package dev.mainstay.engine.check;

import dev.mainstay.engine.archive.WalReceiver;
import dev.mainstay.postgres.cluster.Finding;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Whether WAL gets from the server into the repository, and by whom.
final class ArchivingProbe {
    private static final String ID = "archiving";
    private static final String ARCHIVER = "archiver";

    /// Segments that wait; fewer may just have been finished.
    private static final int MANY = 3;

    private final String name;
    private final ServerView view;
    private final Archiving archiving;
    private final Optional<Path> dataDirectory;

    /// @param name of the source, for the commands to run
    /// @param dataDirectory where this host sees it; it shows what waits for a command that the
    ///   server cannot even start, which its statistics do not count
    ArchivingProbe(String name, ServerView view, Optional<Path> dataDirectory) {
        this.name = name;
        this.view = view;
        this.dataDirectory = dataDirectory;
        this.archiving = Archiving.of(view);
    }

    List<Finding> look() throws IOException {
        List<Finding> findings = new ArrayList<>();
        findings.add(who());
        if (archiving.nowhere()) {
            findings.add(
                    Finding.warning(
                            ARCHIVER,
                            "archive_mode is on without archive_command or archive_library: WAL"
                                    + " piles up on the server's disk",
                            "set archive_command = 'mainstay wal push --source "
                                    + name
                                    + " %p', or archive_mode = off where the receiver"
                                    + " runs"));
        }
        archiving
                .pushSource()
                .filter(other -> !other.equals(name))
                .ifPresent(
                        other ->
                                findings.add(
                                        Finding.error(
                                                ARCHIVER,
                                                "archive_command stores this server's WAL as that"
                                                        + " of source "
                                                        + other,
                                                "set archive_command = 'mainstay wal push --source "
                                                        + name
                                                        + " %p'")));
        if (!view.setting("archive_mode").equals("off") && view.archiver().isFailing()) {
            findings.add(failing());
        } else if (!archiving.nowhere() && waiting() >= MANY) {
            String text = waiting() + " finished segments wait for the server's archiver";
            findings.add(
                    judged(
                            text + (archiving.push() ? ": archive_command does not get on" : ""),
                            "the server's log says why; WAL piles up on the server's disk"));
        }
        return findings;
    }

    private Finding who() {
        String also =
                archiving.other().map(command -> "; the server also runs: " + command).orElse("");
        if (archiving.receiver()) {
            return Finding.ok(
                    ID,
                    "the receiver of "
                            + name
                            + " is connected and stores WAL"
                            + (archiving.push() ? ", and so does archive_command" : also));
        }
        if (archiving.push()) {
            return Finding.ok(ID, "archive_command stores WAL: " + view.setting("archive_command"));
        }
        String start = WalReceiver.howToStart(name);
        if (view.slot().isPresent()) {
            return Finding.error(
                    ID,
                    "no WAL is stored: the receiver of "
                            + name
                            + " is not connected; the server keeps WAL for its slot"
                            + also,
                    start);
        }
        String push =
                "; or set archive_mode = on and archive_command = 'mainstay wal push --source "
                        + name
                        + " %p' and restart the server";
        if (archiving.other().isPresent()) {
            return Finding.error(
                    ID,
                    "no WAL is stored in this repository: the server's WAL goes to something else: "
                            + archiving.other().get(),
                    start + " (it works beside the other)" + push);
        }
        return Finding.error(
                ID,
                "nothing stores the server's WAL: no receiver is connected, and archive_mode is "
                        + view.settings().getOrDefault("archive_mode", "unknown")
                        + (archiving.nowhere() ? " without a command" : ""),
                start + push);
    }

    private Finding failing() {
        ServerView.Archiver archiver = view.archiver();
        String text =
                (archiving.push() ? "archive_command" : "the server's archiver")
                        + " fails since "
                        + archiver.archivedAt()
                                .map(at -> "its last success at " + at)
                                .orElse("ever")
                        + ": "
                        + archiver.failures()
                        + " failures, the last for "
                        + archiver.lastFailed().orElse("?")
                        + " at "
                        + archiver.failedAt().map(String::valueOf).orElse("?");
        String todo =
                "the server's log says why; meanwhile WAL piles up on the server's disk"
                        + (archiving.push()
                                ? "; as the server's user, try: mainstay wal push --source "
                                        + name
                                        + " pg_wal/"
                                        + archiver.lastFailed().orElse("SEGMENT")
                                : "");
        return judged(text, todo);
    }

    private Finding judged(String text, String todo) {
        return archiving.push() && !archiving.receiver()
                ? Finding.error(ARCHIVER, text, todo)
                : Finding.warning(ARCHIVER, text, todo);
    }

    private long waiting() throws IOException {
        Optional<Path> status = dataDirectory.map(each -> each.resolve("pg_wal/archive_status"));
        if (view.setting("archive_mode").equals("off")
                || status.filter(Files::isReadable).isEmpty()) {
            return 0;
        }
        try (Stream<Path> files = Files.list(status.get())) {
            return files.filter(file -> file.toString().endsWith(".ready")).count();
        }
    }
}
