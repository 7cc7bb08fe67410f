package dev.mainstay.bench;

import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.BackupOptions;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.format.Json;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/// A directory of files that are no relations, and its way into a repository: `make DIR FILES
/// BYTES`, `change DIR SEED` (every fiftieth file: rewritten, or something put into its middle),
/// `feed CONFIGURATION DIR THREADS`. Prints what was stored.
public final class FileFeed {
    private static final int WORDS = 4096;
    private static final int EVERY = 50;
    private static final int BLOCK = 8192;
    private static final int LEVEL = 3;

    private FileFeed() {}

    public static void main(String[] arguments) throws Exception {
        Path at = Path.of(arguments[1]);
        switch (arguments[0]) {
            case "make" -> make(at, Integer.parseInt(arguments[2]), Long.parseLong(arguments[3]));
            case "change" -> change(at, Long.parseLong(arguments[2]));
            case "feed" -> feed(at, Path.of(arguments[2]), Integer.parseInt(arguments[3]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    /// Sizes are far apart, as those of people's files are; every third file is of random bytes, as
    /// pictures and archives seem to be, the others are text.
    private static void make(Path directory, int files, long bytes) throws IOException {
        Random random = new Random(1);
        double[] sizes = new double[files];
        double sum = 0;
        for (int i = 0; i < files; i++) {
            sizes[i] = Math.exp(1.5 * random.nextGaussian());
            sum += sizes[i];
        }
        for (int i = 0; i < files; i++) {
            Path file = directory.resolve("d%03d/f%05d".formatted(i / 200, i));
            Files.createDirectories(file.getParent());
            Files.write(file, content(random, i, (int) (sizes[i] / sum * bytes) + 1));
        }
    }

    private static byte[] content(Random random, int number, int length) {
        byte[] bytes = new byte[length];
        if (number % 3 == 0) {
            random.nextBytes(bytes);
            return bytes;
        }
        StringBuilder text = new StringBuilder(length + 16);
        while (text.length() < length) {
            int word = (int) (WORDS * Math.pow(random.nextDouble(), 3));
            text.append(Integer.toString(word * 7919 + 46_656, 36)).append(' ');
        }
        return text.substring(0, length).getBytes(StandardCharsets.US_ASCII);
    }

    private static void change(Path directory, long seed) throws IOException {
        Random random = new Random(seed);
        int number = 0;
        for (Path file : list(directory)) {
            if (number++ % EVERY != 0) {
                continue;
            }
            byte[] before = Files.readAllBytes(file);
            if (number / EVERY % 2 == 0) {
                Files.write(file, content(random, number, before.length));
            } else {
                byte[] after = new byte[before.length + 100];
                int cut = random.nextInt(before.length + 1);
                random.nextBytes(after);
                System.arraycopy(before, 0, after, 0, cut);
                System.arraycopy(before, cut, after, cut + 100, before.length - cut);
                Files.write(file, after);
            }
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static void feed(Path configuration, Path directory, int threads) throws Exception {
        Surroundings surroundings =
                new Surroundings(
                        new ConfigurationReader(Map.of()).read(configuration),
                        Map.of(),
                        Ground.ofThisHost());
        try (Repository repository = surroundings.open();
                BackupWriter writer =
                        repository.sourceOrAdd("files").newBackup(BackupOptions.full(LEVEL));
                ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            writer.blockSize(BLOCK);
            List<Path> files = list(directory);
            List<Future<?>> shares = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int share = i;
                shares.add(
                        pool.submit(
                                () -> {
                                    for (int at = share; at < files.size(); at += threads) {
                                        store(writer, directory, files.get(at));
                                    }
                                }));
            }
            for (Future<?> each : shares) {
                each.get();
            }
            CommittedBackup backup = writer.commit(Json.object());
            System.out.println(backup.statistics());
        } catch (MainstayException failed) {
            System.err.println(failed.code().id() + ": " + failed.getMessage());
            throw failed;
        }
    }

    private static void store(BackupWriter writer, Path directory, Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            PosixFileAttributes facts = Files.readAttributes(file, PosixFileAttributes.class);
            writer.file(
                    new FileFacts(
                            directory.relativize(file).toString(),
                            0600,
                            facts.owner().getName(),
                            facts.group().getName(),
                            facts.lastModifiedTime().toMillis() * 1000),
                    in);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
