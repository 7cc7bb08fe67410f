package dev.mainstay.cli;

import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.WalGet;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.PageChecksum;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;

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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// What the launcher runs once to make its start cache (JEP 514): typical command lines, so that
/// their classes are loaded and their code is profiled. Nothing is printed and nothing is kept.
final class Training {
    private static final int BLOCK = 8192;
    private static final int PAGES = 1024;
    private static final int RELATIONS = 40;
    private static final int RESTORED = 4;

    private static final Pattern LOADED =
            Pattern.compile(
                    "(dev/mainstay/(?!cli/Training|server/).*"
                            + "|org/postgresql/(core|jdbc|util|jre7|gss|hostchooser|plugin|ssl)/.*"
                            + "|org/postgresql/[A-Z].*|com/ongres/.*|me/tongfei/.*)"
                            + "\\.class");

    /// Exit codes of the commands that do the most, and what the server could not answer.
    record Outcome(List<Integer> exits, Set<String> unknown) {}

    private final Path folder;
    private final Path config;

    private Training(Path folder) {
        this.folder = folder;
        this.config = folder.resolve("mainstay.yaml");
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("mainstay-training");
        try {
            run(folder, RELATIONS);
            load();
        } finally {
            remove(folder);
        }
    }

    /// @param relations how many files of 8 MiB the cluster has: enough of them that the loops over
    ///   their pages are known to be hot
    static Outcome run(Path folder, int relations) throws IOException {
        Path data = folder.resolve("data");
        try (TrainingServer server =
                new TrainingServer(line -> line.replace("${data}", data.toString()))) {
            cluster(data, server.control(), relations);
            Training training = new Training(folder);
            training.configure(server.port(), data);
            return new Outcome(training.commands(data, relations), server.unknown());
        }
    }

    private void configure(int port, Path data) throws IOException {
        Files.writeString(
                config,
                """
                repository:
                  url: file://%s/repository
                  key: { file: %s/repository.key }
                sources:
                  training:
                    postgres:
                      url: postgresql://postgres@127.0.0.1:%d/postgres
                      data-directory: %s
                """
                        .formatted(folder, folder, port, data));
    }

    /// Of the backup with many relations an incremental with few is taken and restored: a start
    /// cache is not worth hundreds of MiB in the temporary folder.
    private List<Integer> commands(Path data, int relations) throws IOException {
        line("--help");
        line("--version");
        line("version", "--help");
        line("version", "--output", "json");
        line("versoin");
        List<Integer> exits = new ArrayList<>();
        exits.add(line("init"));
        archive(data);
        exits.add(line("backup", "training", "--type", "full"));
        for (int i = RESTORED; i < relations; i++) {
            Files.delete(relation(data, i));
        }
        exits.add(line("backup", "training"));
        String to = folder.resolve("restored").toString();
        exits.add(line("restore", "training", "--to", to, "--target", "immediate"));
        Files.write(relation(Path.of(to), 0), new byte[BLOCK]);
        exits.add(
                line(
                        "restore",
                        "training",
                        "--to",
                        to,
                        "--target",
                        "immediate",
                        "--delta",
                        "--yes"));
        exits.add(line("backups"));
        exits.add(line("--output", "json", "backups"));
        line("wal", "get", "00000002.history", "x");
        line("wal", "push", "x");
        return exits;
    }

    private int line(String... words) {
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
        List<String> line = new ArrayList<>(List.of("--config", config.toString()));
        line.addAll(List.of(words));
        return new CommandRunner(
                        terminal, InstantSource.system(), new Interruption(Duration.ZERO, nowhere))
                .run(line);
    }

    /// As much of a data directory as a backup looks at. The relations are one file with many
    /// names.
    private static void cluster(Path data, byte[] control, int relations) throws IOException {
        Files.createDirectories(data.resolve("base/5"));
        Files.createDirectory(data.resolve("global"));
        Files.write(data.resolve(ControlFile.PATH), Arrays.copyOf(control, ControlFile.SIZE_BYTES));
        for (String folder : List.of("pg_wal", "pg_tblspc", "pg_xact")) {
            Files.createDirectory(data.resolve(folder));
        }
        Files.writeString(data.resolve("PG_VERSION"), "15\n");
        for (String settings : List.of("postgresql.conf", "pg_hba.conf", "pg_ident.conf")) {
            Files.writeString(data.resolve(settings), "# nothing\n");
        }
        Path first = Files.write(relation(data, 0), pages());
        for (int i = 1; i < relations; i++) {
            Files.createLink(relation(data, i), first);
        }
    }

    private static Path relation(Path data, int number) {
        return data.resolve("base/5/" + (16384 + number));
    }

    /// The WAL that the backup will wait for, and what `wal get` does behind its command line.
    private void archive(Path data) {
        ControlFile control = ControlFile.read(data, Waiter.sleeping(Duration.ofMillis(1)));
        int size = control.layout().walSegmentSizeBytes();
        WalSegment start =
                WalSegment.containing(
                        control.checkpoint().timeline(), control.checkpoint().redo(), size);
        try (Repository repository =
                RepositoryAccess.open(
                        new ConfigurationReader(Map.of()).read(config).repository(),
                        Ground.ofThisHost())) {
            ProtectedSource source = repository.sourceOrAdd("training");
            for (long number = start.number() - 1; number <= start.number(); number++) {
                WalSegment segment = new WalSegment(start.timeline(), number, size);
                source.wal(control.systemId(), 1).put(segment, new byte[size]);
                new WalGet(source, control.systemId(), size, true)
                        .get(segment.fileName(), folder.resolve(segment.fileName()));
            }
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
            bytes[at + 15] = 1; // pd_upper: without one it would be a new page and have no checksum
            int checksum = PageChecksum.of(bytes, at, BLOCK, page);
            bytes[at + 8] = (byte) checksum;
            bytes[at + 9] = (byte) (checksum >>> 8);
        }
        return bytes;
    }

    /// Classes of commands that are not run above, or that only a server of another kind would
    /// need.
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
