package dev.mainstay.engine.restore;

import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.repository.format.ManifestEntry;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// The last steps of a restore: what tells a server where to begin and how far to go, owners of
/// directories, and the control file.
final class Finish {
    private static final int FILE_MODE = 0600;
    private static final int DIRECTORY_MODE = 0700;

    private final RestorePlan plan;
    private final Places places;
    private final Ownership ownership;

    Finish(RestorePlan plan, Places places, Ownership ownership) {
        this.plan = plan;
        this.places = places;
        this.ownership = ownership;
    }

    /// Writes the label, the map of tablespaces, the settings and the signal file.
    void labels(Instant now) {
        write("backup_label", plan.details().backupLabel());
        if (!plan.details().tablespaceMap().isEmpty()) {
            write("tablespace_map", remapped(plan.details().tablespaceMap(), plan.tablespaces()));
        }
        Path settings = places.directory().resolve(RecoverySettings.FILE);
        RestoreFiles.attempt(
                "write " + settings,
                () -> {
                    String before =
                            Files.exists(settings, LinkOption.NOFOLLOW_LINKS)
                                    ? Files.readString(settings, StandardCharsets.ISO_8859_1)
                                    : "";
                    String after =
                            RecoverySettings.rewrite(
                                    before,
                                    plan,
                                    "restored by Mainstay from backup "
                                            + plan.backup().id()
                                            + " at "
                                            + now);
                    RestoreFiles.write(settings, after.getBytes(StandardCharsets.ISO_8859_1));
                    ownership.applyMain(settings, FILE_MODE);
                });
        write(RecoverySettings.signal(plan), "");
    }

    private void write(String name, String content) {
        Path file = places.directory().resolve(name);
        RestoreFiles.attempt(
                "write " + file,
                () -> {
                    RestoreFiles.write(file, content.getBytes(StandardCharsets.UTF_8));
                    ownership.applyMain(file, FILE_MODE);
                });
    }

    /// A line for each tablespace: its OID and, with line breaks and backslashes escaped by a
    /// backslash, its directory.
    static String remapped(String map, List<Tablespace> tablespaces) {
        List<String> lines = new ArrayList<>();
        for (String line : map.split("(?<!\\\\)\n", -1)) {
            int space = line.indexOf(' ');
            String oid = space < 0 ? "" : line.substring(0, space);
            lines.add(
                    tablespaces.stream()
                            .filter(each -> each.oid().equals(oid))
                            .findFirst()
                            .map(each -> oid + " " + escape(each.to().toString()))
                            .orElse(line));
        }
        return String.join("\n", lines);
    }

    private static String escape(String path) {
        return path.replace("\\", "\\\\").replace("\n", "\\\n").replace("\r", "\\\r");
    }

    /// Gives a directory its owner and mode and makes its names durable.
    void directory(ManifestEntry entry) {
        Path path = places.of(entry.path());
        RestoreFiles.attempt(
                "finish " + path,
                () -> {
                    if (entry.path().isEmpty()) {
                        return; // comes last
                    }
                    ownership.apply(path, entry);
                    RestoreFiles.syncDirectory(path);
                });
    }

    /// What has no entry of its own: the directories of tablespaces and of external files, the data
    /// directory.
    void own() {
        Path directory = places.directory();
        RestoreFiles.attempt(
                "finish " + directory,
                () -> {
                    for (Tablespace tablespace : plan.tablespaces()) {
                        ownership.applyMain(tablespace.to(), DIRECTORY_MODE);
                        ownership.applyToLink(
                                directory.resolve("pg_tblspc").resolve(tablespace.oid()));
                        RestoreFiles.syncDirectory(tablespace.to());
                    }
                    Path external = directory.resolve(Places.EXTERNAL);
                    if (Files.isDirectory(external, LinkOption.NOFOLLOW_LINKS)) {
                        ownExternal(external);
                    }
                    RestoreFiles.syncDirectory(directory.resolve("pg_tblspc"));
                });
    }

    private void ownExternal(Path external) throws java.io.IOException {
        try (var all = Files.walk(external)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    ownership.applyMain(path, DIRECTORY_MODE);
                    RestoreFiles.syncDirectory(path);
                }
            }
        }
    }

    /// Last of all.
    void control(ManifestEntry control, byte[] bytes) {
        Path directory = places.directory();
        Path file = directory.resolve(ControlFile.PATH);
        Path temporary = file.resolveSibling("pg_control.mainstay");
        Path global = directory.resolve("global");
        RestoreFiles.attempt(
                "write " + file,
                () -> {
                    RestoreFiles.write(temporary, bytes);
                    ownership.apply(temporary, control);
                    ownership.applyMain(directory, ownership.dataDirectoryMode());
                    RestoreFiles.syncDirectory(directory);
                    RestoreFiles.rename(temporary, file);
                    RestoreFiles.syncDirectory(global);
                });
    }
}
