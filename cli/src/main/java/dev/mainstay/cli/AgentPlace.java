package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;

/// The folder in which a user's agent is found: its socket, and the program that speaks to it. The
/// launcher looks at the same places in the same order.
///
/// @param folder belongs to this user, and nobody else may write it
record AgentPlace(Path folder) {
    private static final Path RUNTIME = Path.of("/run/mainstay");

    /// `MAINSTAY_AGENT`, else `/run/mainstay` where that is this user's (systemd makes it:
    /// `RuntimeDirectory=mainstay`), else a folder in `/tmp`; empty where the environment says
    /// `off`.
    static Optional<AgentPlace> of(Map<String, String> environment) {
        String named = environment.getOrDefault("MAINSTAY_AGENT", "");
        if (named.equals("off")) {
            return Optional.empty();
        }
        if (!named.isEmpty()) {
            return Optional.of(new AgentPlace(Path.of(named).toAbsolutePath()));
        }
        try {
            Object user = user();
            return Optional.of(
                    new AgentPlace(
                            isOwn(RUNTIME, user) && Files.isWritable(RUNTIME)
                                    ? RUNTIME
                                    : Path.of("/tmp/mainstay-agent-" + user)));
        } catch (IOException | UnsupportedOperationException notHere) {
            return Optional.empty();
        }
    }

    /// The number of this process's user.
    private static Object user() throws IOException {
        return Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    private static boolean isOwn(Path folder, Object user) throws IOException {
        return Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                && Files.getAttribute(folder, "unix:uid", LinkOption.NOFOLLOW_LINKS).equals(user);
    }

    Path socket() {
        return folder.resolve("socket");
    }

    Path client() {
        return folder.resolve("client");
    }

    Path lock() {
        return folder.resolve("lock");
    }

    /// Makes the folder if it is not there.
    ///
    /// @throws MainstayException WAL_AGENT_PLACE if others may put something into it
    void prepare() {
        try {
            try {
                Files.createDirectory(
                        folder,
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString("rwx------")));
            } catch (FileAlreadyExistsException there) {
                // looked at below
            }
            PosixFileAttributes facts =
                    Files.readAttributes(
                            folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            if (!isOwn(folder, user())
                    || facts.permissions().contains(PosixFilePermission.GROUP_WRITE)
                    || facts.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
                throw refused("is another user's, or others may write it", null);
            }
        } catch (IOException | UnsupportedOperationException failed) {
            throw refused("cannot be used: " + failed, failed);
        }
    }

    private MainstayException refused(
            String why, @org.jspecify.annotations.Nullable Exception cause) {
        return new MainstayException(
                ErrorCode.WAL_AGENT_PLACE, "the agent's folder " + folder + " " + why, cause);
    }
}
