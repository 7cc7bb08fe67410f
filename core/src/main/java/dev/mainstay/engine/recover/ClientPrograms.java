package dev.mainstay.engine.recover;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Finds `pg_dump` and `pg_restore` of a major version. Older ones refuse the server, newer ones
/// write what an older server may not take.
///
/// @param dump path of `pg_dump`
/// @param restore path of `pg_restore`
public record ClientPrograms(Path dump, Path restore) {
    private static final Pattern VERSION = Pattern.compile("\\(PostgreSQL\\) (\\d+)");

    /// @param named a directory to look into first
    /// @param searchPath as in `PATH`
    /// @throws MainstayException RECOVER_PROGRAM_MISSING naming the package
    public static ClientPrograms find(int major, Optional<Path> named, String searchPath) {
        return new ClientPrograms(
                find("pg_dump", major, named, searchPath),
                find("pg_restore", major, named, searchPath));
    }

    private static Path find(String name, int major, Optional<Path> named, String searchPath) {
        List<Path> folders = new ArrayList<>();
        named.ifPresent(folders::add);
        folders.add(Path.of("/usr/lib/postgresql/" + major + "/bin"));
        folders.add(Path.of("/usr/pgsql-" + major + "/bin"));
        for (String folder : searchPath.split(":", -1)) {
            if (folder.startsWith("/")) {
                folders.add(Path.of(folder));
            }
        }
        List<String> others = new ArrayList<>();
        for (Path folder : folders) {
            Path program = folder.resolve(name);
            if (Files.isExecutable(program)) {
                Optional<Integer> version = major(program);
                if (version.equals(Optional.of(major))) {
                    return program;
                }
                version.ifPresent(other -> others.add(program + " is of version " + other));
            }
        }
        throw new MainstayException(
                ErrorCode.RECOVER_PROGRAM_MISSING,
                "there is no "
                        + name
                        + " of PostgreSQL "
                        + major
                        + (others.isEmpty() ? "" : ": " + String.join(", ", others)),
                "install package postgresql-client-"
                        + major
                        + " (Debian, Ubuntu) or postgresql"
                        + major
                        + " (Red Hat), or name the directory: --bin-directory DIR",
                null);
    }

    private static Optional<Integer> major(Path program) {
        try {
            Process process =
                    new ProcessBuilder(program.toString(), "--version")
                            .redirectErrorStream(true)
                            .start();
            process.getOutputStream().close();
            String text =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            Matcher matcher = VERSION.matcher(text);
            return process.waitFor() == 0 && matcher.find()
                    ? Optional.of(Integer.parseInt(matcher.group(1)))
                    : Optional.empty();
        } catch (IOException unusable) {
            return Optional.empty();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped", stopped);
        }
    }
}
