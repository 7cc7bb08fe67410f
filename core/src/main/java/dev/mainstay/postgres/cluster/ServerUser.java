package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The operating-system user whose rights server programs get. PostgreSQL refuses to run as root,
/// so when this JVM is root the programs run as the owner of the directory they work on, with no
/// supplementary groups; when it is not, they run as this JVM's own user.
///
/// @param switched whether [#command] has to change the user
public record ServerUser(int uid, int gid, boolean switched) {
    private static final int ROOT = 0;

    /// The user for programs that work on `directory`.
    ///
    /// @throws MainstayException SERVER_START_FAILED if this JVM is root and root owns the
    ///   directory
    public static ServerUser of(Path directory) {
        int self = selfUid();
        try {
            int uid = (Integer) Files.getAttribute(directory, "unix:uid");
            int gid = (Integer) Files.getAttribute(directory, "unix:gid");
            if (self != ROOT) {
                return new ServerUser(self, gid, false);
            }
            if (uid == ROOT) {
                throw new MainstayException(
                        ErrorCode.SERVER_START_FAILED,
                        directory + " belongs to root, and PostgreSQL never runs as root",
                        "give it to the user the server runs as: chown -R postgres " + directory,
                        null);
            }
            return new ServerUser(uid, primaryGroup(uid).orElse(gid), true);
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.SERVER_START_FAILED,
                    "cannot read who owns " + directory + ": " + e,
                    e);
        }
    }

    /// Whether this JVM runs as root, so that directories for a server have to be given away.
    public static boolean isRoot() {
        return selfUid() == ROOT;
    }

    /// When this JVM is root, gives `tree` and all that is in it to an unprivileged user:
    /// `postgres` where there is one, else `nobody`. Links are changed, not followed. Does nothing
    /// for other users.
    public static void giveToUnprivileged(Path tree) {
        if (!isRoot()) {
            return;
        }
        try {
            UserPrincipal owner =
                    unprivileged(tree.getFileSystem().getUserPrincipalLookupService());
            Files.walkFileTree(
                    tree,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes a)
                                throws IOException {
                            return visitFile(dir, a);
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                                throws IOException {
                            ownerView(file).setOwner(owner);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new MainstayException(
                    ErrorCode.SERVER_START_FAILED,
                    "cannot give " + tree + " to an unprivileged user: " + e,
                    e);
        }
    }

    /// `command` as it has to be started so that it runs as this user.
    public List<String> command(List<String> command) {
        if (!switched) {
            return List.copyOf(command);
        }
        List<String> result = new ArrayList<>();
        if (isInstalled("setpriv")) {
            result.addAll(
                    List.of("setpriv", "--reuid=" + uid, "--regid=" + gid, "--clear-groups", "--"));
            result.addAll(command);
            return result;
        }
        String name =
                run(List.of("id", "-un", Integer.toString(uid)))
                        .orElseThrow(
                                () ->
                                        new MainstayException(
                                                ErrorCode.SERVER_START_FAILED,
                                                "no way to run a program as user " + uid,
                                                "install setpriv (package util-linux)",
                                                null));
        if (isInstalled("runuser")) {
            result.addAll(List.of("runuser", "-u", name, "--"));
            result.addAll(command);
            return result;
        }
        result.addAll(List.of("su", "-s", "/bin/sh", name, "-c", "exec \"$0\" \"$@\"", "--"));
        result.addAll(command);
        return result;
    }

    /// A process for `command` with these rights, started in the root directory (the current one
    /// may be closed to the user) and free of the environment's `PG…` variables, which would
    /// silently redirect what a PostgreSQL program does.
    public ProcessBuilder process(List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command(command));
        builder.directory(Path.of("/").toFile());
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.startsWith("PG"));
        if (switched) {
            environment.keySet().removeAll(List.of("HOME", "USER", "LOGNAME", "MAIL", "SHELL"));
        }
        return builder;
    }

    static boolean isInstalled(String program) {
        String path = System.getenv("PATH");
        return Stream.of((path == null ? "/usr/bin:/bin" : path).split(":"))
                .filter(folder -> !folder.isEmpty())
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    private static PosixFileAttributeView ownerView(Path file) throws IOException {
        PosixFileAttributeView view =
                Files.getFileAttributeView(
                        file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
        if (view == null) {
            throw new IOException("the file system of " + file + " knows no owners");
        }
        return view;
    }

    private static UserPrincipal unprivileged(UserPrincipalLookupService users) throws IOException {
        try {
            return users.lookupPrincipalByName("postgres");
        } catch (IOException unknown) {
            return users.lookupPrincipalByName("nobody");
        }
    }

    static int selfUid() {
        try {
            return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        } catch (IOException | UnsupportedOperationException noProcFileSystem) {
            return run(List.of("id", "-u"))
                    .map(Integer::parseInt)
                    .orElseThrow(
                            () ->
                                    new MainstayException(
                                            ErrorCode.SERVER_START_FAILED,
                                            "cannot find out which user this is",
                                            noProcFileSystem));
        }
    }

    private static Optional<Integer> primaryGroup(int uid) {
        return run(List.of("id", "-g", Integer.toString(uid))).map(Integer::parseInt);
    }

    /// Standard output of a small program, or nothing if it fails or is missing.
    private static Optional<String> run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            String out =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                            .strip();
            return process.waitFor() == 0 && !out.isEmpty() ? Optional.of(out) : Optional.empty();
        } catch (IOException missing) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "interrupted", e);
        }
    }
}
