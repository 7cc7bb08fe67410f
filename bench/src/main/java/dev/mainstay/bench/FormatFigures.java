package dev.mainstay.bench;

import dev.mainstay.base.ByteSize;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.PackReader;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.crypto.Credential;
import dev.mainstay.repository.format.FrameRef;
import dev.mainstay.repository.format.Json;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.PackId;
import dev.mainstay.storage.local.LocalStore;
import dev.mainstay.storage.wrap.MeteredStore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What the numbers of format 1 cost: sizes of frames, the share at which a frame is refreshed,
/// sizes of packs; on the relation files of a PostgreSQL cluster between rounds of changes.
public final class FormatFigures {
    private static final int LEVEL = 3;

    /// Frames that a restore takes at a time.
    private static final int UNIT = 32;

    /// One way to write a repository.
    private record Way(String name, int neighbours, int scattered, int percent, int packMib) {}

    private static final List<Way> WAYS =
            List.of(
                    new Way("128/32 pages, 50 %, 64 MiB", 128, 32, 50, 64),
                    new Way("8 scattered pages", 128, 8, 50, 64),
                    new Way("16 scattered pages", 128, 16, 50, 64),
                    new Way("48 scattered pages", 128, 48, 50, 64),
                    new Way("64 scattered pages", 128, 64, 50, 64),
                    new Way("128 scattered pages", 128, 128, 50, 64),
                    new Way("32 neighbours", 32, 32, 50, 64),
                    new Way("refresh below 30 %", 128, 32, 30, 64),
                    new Way("refresh below 70 %", 128, 32, 70, 64),
                    new Way("64 scattered pages, below 30 %", 128, 64, 30, 64),
                    new Way("64 scattered pages, below 70 %", 128, 64, 70, 64),
                    new Way("packs of 16 MiB", 128, 32, 50, 16),
                    new Way("packs of 32 MiB", 128, 32, 50, 32),
                    new Way("packs of 128 MiB", 128, 32, 50, 128));

    /// A repository that is written in one way, round after round.
    private static final class Trial implements AutoCloseable {
        final Way way;
        final MeteredStore store;
        final Repository repository;
        final ProtectedSource source;
        Optional<CommittedBackup> last = Optional.empty();
        long fullBytes;
        long incrementalBytes;
        long changedPages;
        long storedPages;
        double seconds;
        double worstReach;

        Trial(Way way, Path folder) {
            this.way = way;
            this.store = MeteredStore.of(LocalStore.create(folder));
            this.repository =
                    Repository.create(
                            store,
                            Optional.of(new Credential.KeyFile(new byte[32])),
                            Ground.ofThisHost());
            this.source = repository.sourceOrAdd("bench");
        }

        void backUp(Path data) throws IOException {
            long begin = System.nanoTime();
            BackupOptions.FrameShape shape =
                    new BackupOptions.FrameShape(
                            way.neighbours,
                            way.scattered,
                            256 << 10,
                            1 << 20,
                            4 << 20,
                            8192,
                            way.percent);
            BackupOptions options =
                    new BackupOptions(
                            last.isPresent() ? "incremental" : "full",
                            last,
                            LEVEL,
                            ByteSize.mib(way.packMib),
                            shape,
                            Long.MAX_VALUE);
            try (BackupWriter writer = source.newBackup(options)) {
                writer.blockSize(RelationFiles.BLOCK);
                try (BackupWriter.Worker worker = writer.worker(RelationFiles.BLOCK)) {
                    for (Path path : RelationFiles.list(data)) {
                        try (FileChannel file = RelationFiles.open(path)) {
                            worker.pagedFile(
                                    new FileFacts(
                                            data.relativize(path).toString(), 0600, "", "", 1),
                                    (int) (file.size() / RelationFiles.BLOCK),
                                    RelationFiles.source(file));
                        }
                    }
                }
                count(writer.commit(Json.object()));
            }
            seconds += (System.nanoTime() - begin) / 1e9;
        }

        private void count(CommittedBackup backup) {
            long bytes = backup.statistics().number("bytes-stored");
            if (last.isPresent()) {
                incrementalBytes += bytes;
                changedPages += backup.statistics().number("pages-changed");
                storedPages += backup.statistics().number("pages-stored");
            } else {
                fullBytes = bytes;
            }
            last = Optional.of(backup);
        }

        /// Reads every frame of pages that the newest backup needs, as a restore does.
        MeteredStore.Counts restore() {
            Map<PackId, Map<Integer, FrameRef>> packs = new HashMap<>();
            try (BackupReader reader = source.read(last.orElseThrow());
                    PackReader frames = reader.newPackReader()) {
                reader.entries(
                        entry -> {
                            if (entry.content() instanceof Content.Paged paged) {
                                reader.map(paged)
                                        .frames()
                                        .forEach(
                                                frame ->
                                                        packs.computeIfAbsent(
                                                                        frame.ref().pack(),
                                                                        _ -> new HashMap<>())
                                                                .put(
                                                                        frame.ref().number(),
                                                                        frame.ref()));
                            }
                        });
                MeteredStore.Counts before = store.counts();
                for (Map<Integer, FrameRef> pack : packs.values()) {
                    List<FrameRef> sorted = new ArrayList<>(pack.values());
                    sorted.sort(Comparator.comparingLong(FrameRef::offset));
                    for (int at = 0; at < sorted.size(); at += UNIT) {
                        frames.readAll(
                                sorted.subList(at, Math.min(sorted.size(), at + UNIT)),
                                (_, _) -> {});
                    }
                }
                return store.counts().minus(before);
            }
        }

        long objects() {
            return store.counts().puts();
        }

        @Override
        public void close() {
            repository.close();
        }
    }

    private FormatFigures() {}

    /// `frames DATA`: compression of frames. `rounds DATA WORK N COMMAND…`: N incrementals, the
    /// command being run before each. `full DATA WORK MIB`: one full backup with packs of that
    /// size, for measuring the memory of the process.
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path data = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "frames" -> FrameFigures.print(data);
            case "rounds" ->
                    rounds(
                            data,
                            Path.of(arguments[2]),
                            Integer.parseInt(arguments[3]),
                            List.of(arguments).subList(4, arguments.length));
            case "full" -> full(data, Path.of(arguments[2]), Integer.parseInt(arguments[3]));
            default -> throw new IllegalArgumentException("frames, rounds or full");
        }
    }

    private static void full(Path data, Path work, int mib) throws IOException {
        Way way = new Way("full", 128, 32, 50, mib);
        try (Trial trial = new Trial(way, work.resolve("full-" + mib))) {
            trial.backUp(data);
        }
    }

    private static void rounds(Path data, Path work, int rounds, List<String> command)
            throws IOException, InterruptedException {
        Map<Way, Trial> trials = new LinkedHashMap<>();
        for (Way way : WAYS) {
            trials.put(way, new Trial(way, work.resolve("way-" + trials.size())));
        }
        for (Trial trial : trials.values()) {
            trial.backUp(data);
        }
        for (int round = 1; round <= rounds; round++) {
            int exit = new ProcessBuilder(command).inheritIO().start().waitFor();
            if (exit != 0) {
                throw new IllegalStateException(command + " ended with " + exit);
            }
            long fresh = 0;
            try (Trial full = new Trial(WAYS.getFirst(), work.resolve("fresh-" + round))) {
                full.backUp(data);
                fresh = referred(full);
            }
            for (Trial trial : trials.values()) {
                trial.backUp(data);
                trial.worstReach = Math.max(trial.worstReach, (double) referred(trial) / fresh);
            }
            System.err.println("round " + round + " of " + rounds);
        }
        print(work, data, rounds, trials);
        for (Trial trial : trials.values()) {
            trial.close();
        }
    }

    private static long referred(Trial trial) {
        return trial.last.orElseThrow().statistics().number("page-bytes-referred");
    }

    private static void print(Path work, Path data, int rounds, Map<Way, Trial> trials)
            throws IOException {
        long fresh;
        try (Trial full = new Trial(WAYS.getFirst(), work.resolve("fresh-end"))) {
            full.backUp(data);
            fresh = full.restore().getBytes();
        }
        System.out.printf(
                Locale.ROOT,
                "fresh full after %d rounds: a restore fetches %.1f MB%n%n",
                rounds,
                fresh / 1e6);
        System.out.println(
                "| way | full MB | incrementals MB | pages stored / changed | restore fetches /"
                        + " fresh | worst of all rounds | requests | objects put | s |");
        System.out.println("|---|---|---|---|---|---|---|---|---|");
        for (Trial trial : trials.values()) {
            MeteredStore.Counts read = trial.restore();
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.1f | %.1f | %.2f | %.2f | %.2f | %d | %d | %.1f |%n",
                    trial.way.name,
                    trial.fullBytes / 1e6,
                    trial.incrementalBytes / 1e6,
                    (double) trial.storedPages / trial.changedPages,
                    (double) read.getBytes() / fresh,
                    trial.worstReach,
                    read.gets(),
                    trial.objects(),
                    trial.seconds);
        }
        Files.createFile(work.resolve("done"));
    }
}
