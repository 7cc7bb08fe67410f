package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where each entry of a backup goes.
final class Places {
    /// Below the data directory: configuration files from outside it, by their absolute paths.
    static final String EXTERNAL = "mainstay-external";

    private static final Pattern TABLESPACE = Pattern.compile("pg_tblspc/(\\d+)(/.*)?");

    private final Path directory;
    private final Map<String, Path> tablespaces = new HashMap<>();
    private final Map<String, Path> externals = new HashMap<>();
    private final Set<Path> missing = new LinkedHashSet<>();
    private final boolean originalExternals;

    Places(RestorePlan plan) {
        this.directory = plan.request().directory();
        this.originalExternals = plan.request().originalExternals();
        plan.tablespaces().forEach(each -> tablespaces.put(each.oid(), each.to()));
    }

    /// A manifest is sealed, but a path that leads out of the directory is never followed.
    static void demandSafe(String path) {
        String relative = path.startsWith("/") ? path.substring(1) : path;
        boolean safe = path.indexOf('\0') < 0;
        for (String name : relative.split("/", -1)) {
            safe &= !name.equals(".") && !name.equals("..");
            safe &= !name.isEmpty() || path.isEmpty();
        }
        if (!safe) {
            throw new MainstayException(
                    ErrorCode.RESTORE_CONTENT_WRONG, "the backup names a file '" + path + "'");
        }
    }

    /// The OID, if this is where a tablespace is linked into the data directory.
    static Optional<String> tablespaceOid(String path) {
        Matcher matcher = TABLESPACE.matcher(path);
        return matcher.matches() && matcher.group(2) == null
                ? Optional.of(matcher.group(1))
                : Optional.empty();
    }

    /// Path below the data directory, as PostgreSQL names it; an external file's below [#EXTERNAL].
    static String nameInside(String path) {
        return path.startsWith("/") ? EXTERNAL + path : path;
    }

    /// Where the entry is written; a tablespace's link itself stays in the data directory.
    Path of(String path) {
        if (path.startsWith("/")) {
            return externals.computeIfAbsent(path, this::external);
        }
        Matcher matcher = TABLESPACE.matcher(path);
        if (matcher.matches() && matcher.group(2) != null) {
            Path to = tablespaces.get(matcher.group(1));
            if (to != null) {
                return to.resolve(matcher.group(2).substring(1));
            }
        }
        return path.isEmpty() ? directory : directory.resolve(path);
    }

    /// Decided once: afterwards there is a file.
    private Path external(String path) {
        Path original = Path.of(path);
        if (!originalExternals || Files.exists(original, LinkOption.NOFOLLOW_LINKS)) {
            return directory.resolve(EXTERNAL + path);
        }
        for (Path above = original.getParent();
                above != null && !Files.exists(above, LinkOption.NOFOLLOW_LINKS);
                above = above.getParent()) {
            missing.add(above);
        }
        return original;
    }

    /// Directories outside the data directory that have to be made for what goes back to where it
    /// was. A server has to get through them.
    Set<Path> missingAbove() {
        return Collections.unmodifiableSet(missing);
    }

    /// What went back to where it was.
    List<Path> originals() {
        return externals.entrySet().stream()
                .filter(each -> each.getValue().equals(Path.of(each.getKey())))
                .map(Map.Entry::getValue)
                .sorted()
                .toList();
    }

    Path directory() {
        return directory;
    }
}
