package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ControlFile;
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
    /// The control file before it gets its name.
    static final String STAGED_CONTROL = ControlFile.PATH + ".mainstay";

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
            throw occupied(plan, directory);
        }
        demandFreeTablespaces(plan, List.of());
    }

    /// @param but directories that may hold anything
    static void demandFreeTablespaces(RestorePlan plan, List<Path> but) {
        for (Tablespace tablespace : plan.tablespaces()) {
            if (!isAmong(tablespace.to(), but) && !isFree(tablespace.to())) {
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

    private static boolean isAmong(Path directory, List<Path> some) {
        try {
            return some.contains(directory.toRealPath());
        } catch (IOException absent) {
            return false;
        }
    }

    private static MainstayException occupied(RestorePlan plan, Path directory) {
        String what = " is not an empty directory";
        String hint = ErrorCode.RESTORE_DIRECTORY_UNSAFE.hint();
        if (HalfRestore.find(directory).isPresent()) {
            what = " holds a restore that was interrupted and cannot be started";
            hint = again(plan) + ", or run it with --yes to have that done";
        } else if (!exists(directory, ControlFile.PATH)) {
            if (exists(directory, STAGED_CONTROL)) {
                what = " holds a restore that was interrupted in its last step";
                hint = again(plan);
            } else if (exists(directory, DeltaMark.NAME)) {
                what = " holds a delta restore that was interrupted and cannot be started";
                hint = "run it again with --delta, which continues it";
            } else if (exists(directory, RestoreMarker.NAME)) {
                what =
                        " holds what looks like a restore that was interrupted, but its "
                                + RestoreMarker.NAME
                                + " was not written whole and for this very directory";
                hint = "look what it is, and remove it by hand";
            }
        }
        return new MainstayException(
                ErrorCode.RESTORE_DIRECTORY_UNSAFE, directory + what, hint, null);
    }

    private static boolean exists(Path directory, String name) {
        return Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS);
    }

    /// What to do after half a restore.
    static String again(RestorePlan plan) {
        List<String> all = new ArrayList<>();
        all.add(plan.request().directory().toString());
        plan.tablespaces().forEach(tablespace -> all.add(tablespace.to().toString()));
        return "remove " + String.join(", ", all) + " and run the restore again";
    }

    static boolean isFree(Path directory) {
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
