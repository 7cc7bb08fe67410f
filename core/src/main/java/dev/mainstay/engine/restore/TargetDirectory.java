package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.PostgresServer;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Refuses directories that a restore must not touch: of a running server, and with anything in
/// them.
final class TargetDirectory {
    /// Is there from the first written byte until the control file is. A restore that died between
    /// the two is whole, and the control file tells.
    static final String MARKER = "mainstay-restore-incomplete";

    private TargetDirectory() {}

    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_DIRECTORY_UNSAFE,
    ///   RESTORE_TABLESPACE
    static void demandFree(RestorePlan plan) {
        Path directory = plan.request().directory();
        PostgresServer.runningPid(directory)
                .ifPresent(
                        pid -> {
                            throw new MainstayException(
                                    ErrorCode.RESTORE_SERVER_RUNNING,
                                    "server " + pid + " is running on " + directory);
                        });
        if (!isFree(directory)) {
            boolean half = HalfRestore.find(directory).isPresent();
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    directory
                            + (half
                                    ? " holds a restore that was interrupted and cannot be started"
                                    : " is not an empty directory"),
                    half ? again(plan) : ErrorCode.RESTORE_DIRECTORY_UNSAFE.hint(),
                    null);
        }
        for (Tablespace tablespace : plan.tablespaces()) {
            if (!isFree(tablespace.to())) {
                throw new MainstayException(
                        ErrorCode.RESTORE_TABLESPACE,
                        "tablespace "
                                + tablespace.oid()
                                + " cannot go to "
                                + tablespace.to()
                                + ", which is not an empty directory",
                        "map it: --tablespace " + tablespace.from() + "=NEW",
                        null);
            }
        }
    }

    /// The restore is complete and durable; only the marker is left of what it needed.
    static void unmark(Path directory) {
        try {
            Files.deleteIfExists(directory.resolve(MARKER));
        } catch (IOException _) {
            // Beside a control file it means nothing, and no server minds it.
        }
    }

    /// What to do after half a restore.
    static String again(RestorePlan plan) {
        List<String> all = new ArrayList<>();
        all.add(plan.request().directory().toString());
        plan.tablespaces().forEach(tablespace -> all.add(tablespace.to().toString()));
        return "remove "
                + String.join(", ", all)
                + " and run the restore again, or run it with --yes to have that done";
    }

    private static boolean isFree(Path directory) {
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return true;
        }
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
            return !children.iterator().hasNext();
        } catch (IOException unreadable) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    "cannot look into " + directory + ": " + unreadable,
                    unreadable);
        }
    }
}
