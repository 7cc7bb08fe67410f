package dev.mainstay.engine.check;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.config.ReceiverSettings;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Repository;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Whether there is room where WAL and backups go.
final class SpaceProbe {
    private static final String REPOSITORY = "space-repository";
    private static final String SPOOL = "space-spool";
    private static final long LEAST = 64L << 20;
    private static final int LEAST_PERCENT = 5;
    private static final Set<String> MEMORY = Set.of("tmpfs", "ramfs");

    private SpaceProbe() {}

    /// The file system of a local repository, against what another full backup of each source would
    /// take.
    static List<Finding> repository(Repository repository, Path folder) throws IOException {
        long next = 0;
        for (var source : repository.sources()) {
            next += newestFull(source.backups()).orElse(0L);
        }
        FileStore store = Files.getFileStore(folder);
        List<Finding> findings = new ArrayList<>(memory(REPOSITORY, folder, store));
        findings.add(judge(folder, store.getUsableSpace(), store.getTotalSpace(), next));
        return findings;
    }

    /// @param next bytes that another full backup of every source takes; 0 if that is not known
    static Finding judge(Path folder, long free, long total, long next) {
        String has = size(free) + " of " + size(total) + " are free in " + folder;
        String forecast =
                next == 0 ? "" : "; another full backup of every source takes about " + size(next);
        String todo = "free space, enlarge the file system, or expire old backups";
        if (free < Math.max(LEAST, next)) {
            return Finding.error(
                    REPOSITORY, free < LEAST ? has + ": nearly full" : has + forecast, todo);
        }
        return free < 2 * next || free < total / 100 * LEAST_PERCENT
                ? Finding.warning(REPOSITORY, has + forecast, todo)
                : Finding.ok(REPOSITORY, has + forecast);
    }

    private static Optional<Long> newestFull(List<CommittedBackup> backups) {
        return backups.reversed().stream()
                .filter(backup -> backup.type().equals("full"))
                .findFirst()
                .map(backup -> backup.statistics().number("bytes-stored"));
    }

    /// The receiver's spool, against its limit.
    static List<Finding> spool(ReceiverSettings settings) throws IOException {
        Path spool = settings.spool();
        Path there = existing(spool);
        FileStore store = Files.getFileStore(there);
        if (!Files.isWritable(there)) {
            String todo =
                    there.equals(spool)
                            ? "give it to the user who runs the receiver ('mainstay server' or"
                                    + " 'mainstay wal receive')"
                            : "create it for the user who runs the receiver ('mainstay server' or"
                                    + " 'mainstay wal receive')";
            return List.of(
                    Finding.error(SPOOL, "this user cannot write to the spool " + spool, todo));
        }
        List<Finding> findings = new ArrayList<>(memory(SPOOL, spool, store));
        findings.add(judge(settings, store.getUsableSpace(), used(spool)));
        return findings;
    }

    static Finding judge(ReceiverSettings settings, long free, long used) {
        String has = size(free) + " are free for the spool " + settings.spool();
        if (free < LEAST) {
            return Finding.error(SPOOL, has + ": receiving is about to stop", "free space there");
        }
        return free + used < settings.spoolLimit().bytes()
                ? Finding.warning(
                        SPOOL,
                        has
                                + ", less than its limit of "
                                + settings.spoolLimit()
                                + ": the disk is full before receiving stops in good order",
                        "free space, or set receiver.spool-limit to at most "
                                + size(free + used - LEAST))
                : Finding.ok(SPOOL, has + ", which may hold up to " + settings.spoolLimit());
    }

    private static List<Finding> memory(String id, Path path, FileStore store) {
        return MEMORY.contains(store.type())
                ? List.of(
                        Finding.warning(
                                id,
                                path
                                        + " lies in memory ("
                                        + store.type()
                                        + "): a reboot empties it",
                                "use a file system on a disk"))
                : List.of();
    }

    private static Path existing(Path path) throws IOException {
        for (Path at = path.toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isDirectory(at)) {
                return at;
            }
        }
        throw new NoSuchFileException(path.toString());
    }

    /// Files vanish while this looks: they are uploaded.
    private static long used(Path spool) {
        File[] files = spool.toFile().listFiles();
        long bytes = 0;
        for (File file : files == null ? new File[0] : files) {
            bytes += file.isDirectory() ? used(file.toPath()) : file.length();
        }
        return bytes;
    }

    private static String size(long bytes) {
        return ByteSize.of(Math.max(0, bytes)).toString();
    }
}
