package dev.mainstay.testkit;

import org.junit.jupiter.api.Assumptions;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/// The client programs of Debian's PostgreSQL 15, which the published server binaries lack. They
/// refuse newer servers.
public final class DebianPrograms {
    public static final int MAJOR = 15;
    private static final Path FOLDER = Path.of("/usr/lib/postgresql/15/bin");

    private DebianPrograms() {}

    public static Optional<Path> find(String program) {
        Path path = FOLDER.resolve(program);
        return Files.isExecutable(path) ? Optional.of(path) : Optional.empty();
    }

    /// The program; without it the test is skipped, saying loudly what is missing.
    public static Path assume(String program) {
        Optional<Path> found = find(program);
        if (found.isEmpty()) {
            System.err.println(
                    "SKIPPED: " + FOLDER.resolve(program) + " is missing; .ci/run installs it");
        }
        Assumptions.assumeTrue(found.isPresent(), "no " + FOLDER.resolve(program));
        return found.orElseThrow();
    }
}
