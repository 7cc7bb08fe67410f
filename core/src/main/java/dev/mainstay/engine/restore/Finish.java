package dev.mainstay.engine.restore;

import dev.mainstay.engine.backup.BackupDetails;
import dev.mainstay.engine.restore.RestorePlan.Tablespace;
import dev.mainstay.postgres.cluster.BackupManifest;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.ServerVersion;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.Crc32c;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;

import java.io.BufferedOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/// The last steps of a restore: what tells a server where to begin and how far to go, owners of
/// directories, and the control file.
final class Finish {
    private static final int FILE_MODE = 0600;
    private static final int DIRECTORY_MODE = 0700;
    private static final int OPEN_DIRECTORY_MODE = 0755;

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
                                    RecoverySettings.of(plan),
                                    "restored by Mainstay from backup "
                                            + plan.backup().id()
                                            + " at "
                                            + now);
                    RestoreFiles.write(settings, after.getBytes(StandardCharsets.ISO_8859_1));
                    ownership.applyMain(settings, FILE_MODE);
                });
        for (String other : List.of("recovery.signal", "standby.signal")) {
            Path left = places.directory().resolve(other); // of a standby that was backed up
            RestoreFiles.attempt("remove " + left, () -> Files.deleteIfExists(left));
        }
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

    /// Writes the manifest that `pg_verifybackup` reads: of what was backed up and what this
    /// restore added. It leaves out what that program leaves out.
    void manifest(BackupReader reader, TurnedUnlogged unlogged) {
        Path file = places.directory().resolve(BackupManifest.FILE_NAME);
        RestoreFiles.attempt(
                "write " + file,
                () -> {
                    Files.deleteIfExists(file);
                    RestoreFiles.create(file);
                    try (FileOutputStream out = new FileOutputStream(file.toFile())) {
                        write(out, reader, unlogged);
                        out.getChannel().force(true);
                    }
                    ownership.applyMain(file, FILE_MODE);
                });
    }

    private void write(OutputStream file, BackupReader reader, TurnedUnlogged unlogged)
            throws IOException {
        BackupDetails details = plan.details();
        BackupManifest manifest =
                BackupManifest.open(
                        new BufferedOutputStream(file, 1 << 16),
                        ServerVersion.ofServerVersionNum(details.server().versionNum()),
                        details.systemId());
        reader.entries(
                entry -> {
                    if (!unlogged.holds(entry)) {
                        add(manifest, entry);
                    }
                });
        for (String name : List.of("backup_label", "tablespace_map")) {
            add(manifest, name);
        }
        manifest.finish(
                List.of(
                        new BackupManifest.WalRange(
                                details.timeline(), details.startLsn(), details.stopLsn())));
    }

    private void add(BackupManifest manifest, ManifestEntry entry) {
        boolean isFile =
                switch (entry.content()) {
                    case Content.Directory _, Content.Link _ -> false;
                    case Content.Paged _, Content.Chunked _ -> true;
                };
        boolean inside = places.of(entry.path()).startsWith(places.directory());
        boolean inTablespace = entry.path().startsWith("pg_tblspc/");
        if (!isFile || !(inside || inTablespace)) {
            return;
        }
        RestoreFiles.attempt(
                "write the manifest",
                () ->
                        manifest.add(
                                Places.nameInside(entry.path()),
                                entry.sizeBytes(),
                                Instant.EPOCH.plus(entry.modifiedMicros(), ChronoUnit.MICROS),
                                entry.crc32c()));
    }

    private void add(BackupManifest manifest, String name) throws IOException {
        Path file = places.directory().resolve(name);
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] content = Files.readAllBytes(file);
            manifest.add(
                    name,
                    content.length,
                    Files.getLastModifiedTime(file).toInstant(),
                    Crc32c.of(content, 0, content.length));
        }
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
                        syncParent(tablespace.to());
                    }
                    Path external = directory.resolve(Places.EXTERNAL);
                    ownOriginals(
                            new RestoredConfiguration(plan)
                                    .makeIncludedDirectories(places.originals()));
                    if (Files.isDirectory(external, LinkOption.NOFOLLOW_LINKS)) {
                        ownExternal(external);
                    }
                    RestoreFiles.syncDirectory(directory.resolve("pg_tblspc"));
                });
    }

    /// Nobody else can know who has to get through them.
    private void ownOriginals(List<Path> included) throws IOException {
        List<Path> made = new ArrayList<>(places.missingAbove());
        made.addAll(included);
        for (Path each : made) {
            ownership.applyMain(each, OPEN_DIRECTORY_MODE);
            RestoreFiles.syncDirectory(each);
            syncParent(each);
        }
        for (Path file : places.originals()) {
            syncParent(file);
        }
    }

    private void ownExternal(Path external) throws IOException {
        try (var all = Files.walk(external)) {
            for (Path path : (Iterable<Path>) all::iterator) {
                if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    ownership.applyMain(path, DIRECTORY_MODE);
                    RestoreFiles.syncDirectory(path);
                }
            }
        }
    }

    private static void syncParent(Path directory) throws IOException {
        Path parent = directory.getParent();
        if (parent != null) {
            RestoreFiles.syncDirectory(parent);
        }
    }

    /// Makes the control file and everything else durable, the control file not under its name yet.
    void stage(ManifestEntry control, byte[] bytes) {
        Path directory = places.directory();
        Path staged = directory.resolve(TargetDirectory.STAGED_CONTROL);
        RestoreFiles.attempt(
                "write " + staged,
                () -> {
                    RestoreFiles.write(staged, bytes);
                    ownership.apply(staged, control);
                    RestoreFiles.syncDirectory(directory.resolve("global"));
                    ownership.applyMain(directory, ownership.dataDirectoryMode());
                    RestoreFiles.syncDirectory(directory);
                    syncParent(directory);
                });
    }

    /// Last of all.
    void publish() {
        Path directory = places.directory();
        Path file = directory.resolve(ControlFile.PATH);
        RestoreFiles.attempt(
                "write " + file,
                () -> {
                    RestoreFiles.rename(directory.resolve(TargetDirectory.STAGED_CONTROL), file);
                    RestoreFiles.syncDirectory(directory.resolve("global"));
                });
    }
}
