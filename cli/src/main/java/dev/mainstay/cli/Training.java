package dev.mainstay.cli;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.postgres.cluster.PageChecksum;
import dev.mainstay.postgres.cluster.RelationPageReader;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Crc32c;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.SegmentMap;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What the launcher runs once to make its start cache (JEP 514): typical command lines, so that
/// their classes are loaded and their code is profiled. Nothing is printed and nothing is kept.
final class Training {
    private static final int BLOCK = 8192;
    private static final int PAGES = 1024;
    private static final int ROUNDS = 40;

    private static final Pattern LOADED =
            Pattern.compile(
                    "(dev/mainstay/(?!cli/Training).*"
                            + "|org/postgresql/(core|jdbc|util|jre7|gss|hostchooser|plugin|ssl)/.*"
                            + "|org/postgresql/[A-Z].*|com/ongres/.*|me/tongfei/.*)"
                            + "\\.class");

    private Training() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("mainstay-training");
        try {
            Path config = folder.resolve("mainstay.yaml");
            Files.writeString(
                    config,
                    """
                    repository:
                      url: file://%s/repository
                      key: { file: %s/repository.key }
                    sources:
                      training:
                        postgres:
                          url: postgresql://nobody@127.0.0.1:1/postgres
                          data-directory: %s
                    """
                            .formatted(folder, folder, folder));
            lines(config, folder);
            fetch(config, folder);
            store(config, folder);
            load();
        } finally {
            remove(folder);
        }
    }

    private static void lines(Path config, Path folder) {
        PrintStream nowhere =
                new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        Terminal terminal =
                new Terminal(
                        new ByteArrayInputStream(new byte[0]),
                        nowhere,
                        nowhere,
                        false,
                        false,
                        false,
                        Terminal.DEFAULT_COLUMNS,
                        Map.of(),
                        folder);
        String at = config.toString();
        List<List<String>> lines =
                List.of(
                        List.of("--help"),
                        List.of("--version"),
                        List.of("version", "--help"),
                        List.of("version", "--output", "json"),
                        List.of("versoin"),
                        List.of("--config", at, "init"),
                        List.of("--config", at, "backup", "training"), // nobody listens at port 1
                        List.of("--config", at, "backups"),
                        List.of("--config", at, "--output", "json", "backups"),
                        List.of("--config", at, "wal", "get", "00000002.history", "x"),
                        List.of("--config", at, "wal", "push", "x"));
        for (List<String> line : lines) {
            new CommandRunner(
                            terminal,
                            InstantSource.system(),
                            new Interruption(Duration.ZERO, nowhere))
                    .run(line);
        }
    }

    /// What `wal push` and `wal get` do behind their command lines.
    private static void fetch(Path config, Path folder) {
        WalSegment segment = new WalSegment(TimelineId.of(1), 1, 16 << 20);
        SystemId system = SystemId.of(1);
        try (Repository repository =
                RepositoryAccess.open(
                        new ConfigurationReader(Map.of()).read(config).repository(),
                        Ground.ofThisHost())) {
            ProtectedSource source = repository.sourceOrAdd("training");
            source.wal(system, 1).put(segment, new byte[segment.sizeBytes()]);
            new WalGet(source, system, segment.sizeBytes(), true)
                    .get(segment.fileName(), folder.resolve("segment"));
        }
    }

    /// What a backup and a restore do with pages: enough of it that their loops are known to be
    /// hot.
    private static void store(Path config, Path folder) throws IOException {
        Path file = folder.resolve("16384");
        Files.write(file, pages());
        try (Repository repository =
                RepositoryAccess.open(
                        new ConfigurationReader(Map.of()).read(config).repository(),
                        Ground.ofThisHost())) {
            ProtectedSource source = repository.sourceOrAdd("training");
            CommittedBackup backup;
            try (BackupWriter writer = source.newBackup(BackupOptions.full(3))) {
                writer.blockSize(BLOCK);
                try (BackupWriter.Worker worker = writer.worker(BLOCK)) {
                    for (int i = 0; i < ROUNDS; i++) {
                        store(worker, file, "base/5/" + (16384 + i));
                    }
                }
                writer.file(
                        new FileFacts("PG_VERSION", 0600, "nobody", "nobody", 0),
                        new ByteArrayInputStream("15\n".getBytes(StandardCharsets.US_ASCII)));
                backup = writer.commit(Json.object());
            }
            try (BackupReader reader = source.read(backup);
                    PackReader packs = reader.newPackReader()) {
                reader.entries(
                        entry -> {
                            if (entry.content() instanceof ManifestEntry.Content.Paged paged) {
                                packs.readAll(
                                        reader.map(paged).frames().stream()
                                                .map(SegmentMap.MappedFrame::ref)
                                                .toList(),
                                        (_, frame) ->
                                                Crc32c.of(frame.payload(), 0, frame.length()));
                            }
                        });
            }
        }
    }

    private static void store(BackupWriter.Worker worker, Path file, String name) {
        RelationPageReader.Target target =
                new RelationPageReader.Target(file, name, 0, PAGES * (long) BLOCK, BLOCK);
        RelationPageReader.Verification verification =
                new RelationPageReader.Verification(Lsn.of(0), () -> Lsn.of(0), _ -> {}, _ -> {});
        try (RelationPageReader reader =
                RelationPageReader.open(target, Optional.of(verification)).orElseThrow()) {
            worker.pagedFile(
                    new FileFacts(name, 0600, "nobody", "nobody", 0),
                    PAGES,
                    (_, wanted, into) -> reader.read(into, 0, wanted));
        }
    }

    /// Pages with checksums, about as compressible as a table's.
    private static byte[] pages() {
        byte[] bytes = new byte[PAGES * BLOCK];
        Random random = new Random(1);
        for (int page = 0; page < PAGES; page++) {
            int at = page * BLOCK;
            for (int row = at + 24; row < at + BLOCK; row += 96) {
                bytes[row] = (byte) random.nextInt();
                bytes[row + 1] = (byte) random.nextInt();
                bytes[row + 7] = (byte) page;
            }
            bytes[at + 13] = 1; // pd_lower, or the page counts as new and has no checksum
            int checksum = PageChecksum.of(bytes, at, BLOCK, page);
            bytes[at + 8] = (byte) checksum;
            bytes[at + 9] = (byte) (checksum >>> 8);
        }
        return bytes;
    }

    /// Classes that only a live server would have loaded.
    private static void load() throws IOException {
        try (JarFile jar =
                new JarFile(
                        System.getProperty("java.class.path").split(File.pathSeparator, 2)[0])) {
            jar.stream()
                    .map(JarEntry::getName)
                    .filter(name -> LOADED.matcher(name).matches())
                    .forEach(Training::load);
        }
    }

    private static void load(String entry) {
        try {
            Class.forName(
                    entry.substring(0, entry.length() - ".class".length()).replace('/', '.'),
                    false,
                    Training.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError _) {
            // a class for a library that is not here
        }
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
