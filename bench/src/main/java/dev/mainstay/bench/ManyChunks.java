package dev.mainstay.bench;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ByteSize;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Credentials;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.engine.config.RepositorySettings;
import dev.mainstay.engine.retention.SettledPrune;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Prune;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.format.Json;
import dev.mainstay.storage.wrap.MeteredStore;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/// A repository of very many chunks, and what it costs to keep it small: `feed CONFIGURATION
/// CHUNKS`, `files DIR CHUNKS BACKUP` (the same for a peer), `expire`, `open`, `plan` and `prune`,
/// each of CONFIGURATION. The last three print milliseconds, most MiB of memory and requests.
///
/// Each file is one chunk. Each backup brings an eighth of them: of the last three quarters of
/// these two fifths stay in all later backups, the others are in this one only. So a backup that
/// goes leaves packs that nothing needs, and packs of which two fifths are needed.
public final class ManyChunks {
    private static final int BACKUPS = 8;
    private static final int BYTES = 1024;
    private static final int FOLDER = 1000;
    private static final int LEVEL = 3;
    private static final String SOURCE = "files";

    private ManyChunks() {}

    public static void main(String[] arguments) throws IOException {
        try {
            if (arguments[0].equals("files")) {
                files(
                        Path.of(arguments[1]),
                        Integer.parseInt(arguments[2]),
                        Integer.parseInt(arguments[3]));
                return;
            }
            Configuration configuration =
                    new ConfigurationReader(Map.of()).read(Path.of(arguments[1]));
            long begun = System.nanoTime();
            MeteredStore store = store(configuration.repository());
            try (Repository repository = open(store, configuration.repository())) {
                switch (arguments[0]) {
                    case "feed" ->
                            feed(
                                    repository.sourceOrAdd(SOURCE),
                                    Integer.parseInt(arguments[2]),
                                    configuration.repository().packSize());
                    case "expire" -> expire(repository.requireSource(SOURCE));
                    case "open" -> openIndex(repository.requireSource(SOURCE));
                    case "plan" -> System.err.println(prune(configuration, repository).plan());
                    case "prune" -> pruned(prune(configuration, repository).run(_ -> {}));
                    default -> throw new IllegalArgumentException(arguments[0]);
                }
            }
            System.out.println(
                    (System.nanoTime() - begun) / 1_000_000
                            + " "
                            + mostMemoryMib()
                            + " "
                            + requests(store.counts()));
        } catch (MainstayException failed) {
            System.err.println(failed.code().id() + ": " + failed.getMessage());
            throw failed;
        }
    }

    private static MeteredStore store(RepositorySettings settings) {
        return MeteredStore.of(RepositoryAccess.openExisting(settings, Ground.ofThisHost()));
    }

    private static Repository open(MeteredStore store, RepositorySettings settings) {
        return Repository.open(
                store, Optional.of(Credentials.of(settings.requireKey())), Ground.ofThisHost());
    }

    private static long requests(MeteredStore.Counts counts) {
        return counts.puts() + counts.gets() + counts.sizes() + counts.lists() + counts.deletes();
    }

    /// As the system counts it: of the whole process.
    private static long mostMemoryMib() throws IOException {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("VmHWM:"))
                    .map(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024)
                    .findFirst()
                    .orElseThrow();
        }
    }

    /// Whether a file that came with one backup is in another one.
    private static boolean isIn(int file, int files, int backup) {
        int each = files / BACKUPS;
        int born = file / each;
        boolean stays = file % each >= each / 4 && file % 5 < 2;
        return born == backup || (stays && born < backup);
    }

    private static String name(int file) {
        return "d%05d/f%08d".formatted(file / FOLDER, file);
    }

    private static byte[] content(int file) {
        byte[] bytes = new byte[BYTES];
        new SplittableRandom(file).nextBytes(bytes);
        return bytes;
    }

    private static void files(Path directory, int files, int backup) throws IOException {
        for (int file = 0; file < (backup + 1) * (files / BACKUPS); file++) {
            boolean before = backup > 0 && isIn(file, files, backup - 1);
            Path path = directory.resolve(name(file));
            if (isIn(file, files, backup) && !before) {
                Files.createDirectories(path.getParent());
                Files.write(path, content(file));
            } else if (before && !isIn(file, files, backup)) {
                Files.delete(path);
            }
        }
    }

    private static void feed(ProtectedSource source, int files, ByteSize packSize)
            throws IOException {
        BackupOptions usual = BackupOptions.full(LEVEL);
        BackupOptions options =
                new BackupOptions(
                        usual.type(),
                        usual.parent(),
                        LEVEL,
                        packSize,
                        usual.shape(),
                        usual.refreshBudgetPages());
        for (int backup = 0; backup < BACKUPS; backup++) {
            try (BackupWriter writer = source.newBackup(options)) {
                writer.blockSize(8192);
                for (int file = 0; file < (backup + 1) * (files / BACKUPS); file++) {
                    if (isIn(file, files, backup)) {
                        store(writer, file);
                    }
                }
                System.err.println(writer.commit(Json.object()).statistics());
            }
        }
    }

    private static void store(BackupWriter writer, int file) throws IOException {
        writer.file(
                new FileFacts(name(file), 0600, "bench", "bench", file),
                new ByteArrayInputStream(content(file)));
    }

    /// The older half.
    private static void expire(ProtectedSource source) {
        Map<BackupId, String> why = new HashMap<>();
        List<CommittedBackup> backups = source.backups();
        backups.subList(0, backups.size() / 2).forEach(each -> why.put(each.id(), "a bench"));
        source.expire(source.records(), why, "a bench");
    }

    /// A backup that finds its only chunk in the index.
    private static void openIndex(ProtectedSource source) throws IOException {
        try (BackupWriter writer = source.newBackup(BackupOptions.full(LEVEL))) {
            writer.blockSize(8192);
            store(writer, 1);
            writer.commit(Json.object());
        }
    }

    private static SettledPrune prune(Configuration configuration, Repository repository) {
        return new SettledPrune(
                configuration,
                repository,
                repository.ground().clock().instant(),
                Duration.ofDays(7),
                false);
    }

    private static void pruned(Prune.Report report) {
        System.err.println(report);
        if (report.removed().count() == 0 || report.compacted().packs().count() == 0) {
            throw new IllegalStateException("nothing to remove, or nothing to compact: " + report);
        }
    }
}
