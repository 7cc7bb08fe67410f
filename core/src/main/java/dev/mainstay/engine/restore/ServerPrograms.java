package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ServerVersion;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Finds the server program for a version of PostgreSQL.
public final class ServerPrograms {
    private ServerPrograms() {}

    /// The directory that holds `postgres`: the one that was named, else where Debian and Red Hat
    /// put it, else the first on the search path.
    ///
    /// @param searchPath as in `PATH`
    /// @throws MainstayException RESTORE_START_FAILED if there is none
    public static Path find(ServerVersion version, Optional<Path> named, String searchPath) {
        List<Path> candidates = new ArrayList<>();
        if (named.isPresent()) {
            candidates.add(named.get());
        } else {
            candidates.add(Path.of("/usr/lib/postgresql/" + version.major() + "/bin"));
            candidates.add(Path.of("/usr/pgsql-" + version.major() + "/bin"));
            for (String folder : searchPath.split(":", -1)) {
                if (folder.startsWith("/")) {
                    candidates.add(Path.of(folder));
                }
            }
        }
        return candidates.stream()
                .filter(directory -> Files.isExecutable(directory.resolve("postgres")))
                .findFirst()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.RESTORE_START_FAILED,
                                        "there is no server program of PostgreSQL "
                                                + version.major()
                                                + named.map(path -> " in " + path).orElse(""),
                                        "name its directory: --bin-directory DIR",
                                        null));
    }
}
