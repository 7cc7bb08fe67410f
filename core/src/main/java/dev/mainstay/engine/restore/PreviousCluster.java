package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.ClusterMove.Space;
import dev.mainstay.postgres.cluster.ControlFile;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;

/// Sets a stopped cluster aside before another one is restored in its place, and puts it back:
/// `DIR` becomes `DIR.previous-TIME`, and each of its tablespaces likewise, by renaming. What is
/// set aside is complete and could be started where it is.
public final class PreviousCluster {
    private static final String SUFFIX = ".previous-";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmssSSS'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);

    private final Path directory;
    private final Instant now;
    private final Runnable between;

    /// @param now names what is set aside
    public PreviousCluster(Path directory, Instant now) {
        this(directory, now, () -> {});
    }

    /// @param between called between any two steps
    PreviousCluster(Path directory, Instant now, Runnable between) {
        this.directory = directory;
        this.now = now;
        this.between = between;
    }

    /// What was put back, and where that which was there is now.
    public record Undone(Path from, Optional<Path> aside) {}

    private interface Step<T> {
        T run() throws IOException;
    }

    private <T> T attempt(Step<T> step) {
        try {
            return step.run();
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.RESTORE_PREVIOUS,
                    "cannot rename " + directory + " or its tablespaces: " + failed.getMessage(),
                    failed);
        }
    }

    /// Whether there is anything to set aside, or was when that was interrupted.
    public static boolean isThere(Path directory) {
        PreviousCluster previous = new PreviousCluster(directory, Instant.EPOCH);
        return !DeltaTarget.isFree(directory)
                || previous.attempt(() -> previous.pendingAside().isPresent());
    }

    /// Judges whether the cluster of a plan's directory can be set aside. A server may still run.
    ///
    /// @throws MainstayException RESTORE_PREVIOUS, or what forbids any restore there
    public void demand(RestorePlan plan) {
        if (!attempt(() -> pendingAside().isPresent())) {
            DeltaTarget.demandOurs(plan);
            attempt(this::planned);
        }
    }

    /// Sets the cluster aside, or finishes that.
    ///
    /// @return where it is; empty if there is none
    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_PREVIOUS
    public Optional<Path> keep() {
        return attempt(
                () -> {
                    Optional<ClusterMove> pending = pendingAside();
                    if (pending.isEmpty() && DeltaTarget.isFree(directory)) {
                        return Optional.empty();
                    }
                    ClusterMove move = pending.isPresent() ? pending.get() : planned();
                    demandStopped(move);
                    if (pending.isEmpty()) {
                        move.announce();
                    }
                    between.run();
                    move.finish(true, between);
                    return Optional.of(move.to());
                });
    }

    private static void demandStopped(ClusterMove move) {
        for (Path each : List.of(move.from(), move.to())) {
            if (Files.exists(each)) {
                DeltaTarget.demandStopped(each);
            }
        }
    }

    /// A move of this directory to another name that was begun.
    private Optional<ClusterMove> pendingAside() throws IOException {
        List<Path> all = new ArrayList<>(siblings());
        all.add(directory);
        for (Path each : all) {
            Optional<ClusterMove> move =
                    ClusterMove.read(each, ClusterMove.JOURNAL)
                            .filter(pending -> pending.from().equals(directory));
            if (move.isPresent()) {
                return move;
            }
        }
        return Optional.empty();
    }

    /// One of another name to this one.
    private Optional<ClusterMove> pendingBack() throws IOException {
        List<Path> all = new ArrayList<>(siblings());
        all.add(directory);
        for (Path each : all) {
            Optional<ClusterMove> move =
                    ClusterMove.read(each, ClusterMove.JOURNAL)
                            .filter(pending -> pending.to().equals(directory));
            if (move.isPresent()) {
                return move;
            }
        }
        return Optional.empty();
    }

    /// Newest first.
    private List<Path> siblings() throws IOException {
        Path parent = Objects.requireNonNull(directory.getParent());
        List<Path> siblings = new ArrayList<>();
        if (!Files.isDirectory(parent)) {
            return siblings;
        }
        String prefix = directory.getFileName() + SUFFIX;
        try (DirectoryStream<Path> all = Files.newDirectoryStream(parent)) {
            for (Path each : all) {
                if (each.getFileName().toString().startsWith(prefix)
                        && Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
                    siblings.add(each);
                }
            }
        }
        siblings.sort(null);
        return siblings.reversed();
    }

    private ClusterMove planned() throws IOException {
        String suffix = SUFFIX + TIME.format(now);
        demandMovable(directory, suffix);
        List<Space> spaces = new ArrayList<>();
        Path links = directory.resolve("pg_tblspc");
        if (Files.isDirectory(links, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(links)) {
                for (Path link : all) {
                    if (Files.isSymbolicLink(link) && Files.isDirectory(link)) {
                        spaces.add(space(link, suffix));
                    }
                }
            }
        }
        return new ClusterMove(directory, beside(directory, suffix), spaces);
    }

    private static Space space(Path link, String suffix) throws IOException {
        Path real = link.toRealPath();
        demandMovable(real, suffix);
        try (HeldDirectory held = HeldDirectory.open(real)) {
            List<String> names = new ArrayList<>(held.names());
            names.remove(RestoreMarker.NAME);
            if (names.size() > 1) {
                throw new IOException(
                        real + " holds more than this cluster's tablespace: " + names);
            }
        }
        return new Space(link.getFileName().toString(), real, beside(real, suffix));
    }

    private static Path beside(Path directory, String suffix) {
        return directory.resolveSibling(directory.getFileName() + suffix);
    }

    private static void demandMovable(Path directory, String suffix) throws IOException {
        Path parent = directory.getParent();
        if (parent == null || !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(directory + " is no directory, but perhaps a link to one");
        }
        if (directory.toString().indexOf('\n') >= 0) {
            throw new IOException("its name has a line break");
        }
        if (!Files.getAttribute(directory, "unix:dev")
                .equals(Files.getAttribute(parent, "unix:dev"))) {
            throw new IOException(directory + " is a file system of its own");
        }
        if (Files.exists(beside(directory, suffix), LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(beside(directory, suffix) + " exists");
        }
    }

    /// Puts back what was set aside last, and sets aside what is there. Or finishes that, if it was
    /// interrupted.
    ///
    /// @throws MainstayException RESTORE_SERVER_RUNNING, RESTORE_PREVIOUS
    public Undone undo() {
        return attempt(
                () -> {
                    Optional<ClusterMove> pending = pendingBack();
                    ClusterMove back = pending.isPresent() ? pending.get() : newest();
                    demandStopped(back);
                    if (pending.isEmpty()) {
                        keepable();
                        back.announce();
                    }
                    between.run();
                    boolean arrived =
                            ClusterMove.read(directory, ClusterMove.JOURNAL)
                                    .filter(back::equals)
                                    .isPresent();
                    Optional<Path> aside = Optional.empty();
                    if (!arrived) {
                        aside = keep();
                        between.run();
                        Files.deleteIfExists(directory); // it is empty
                        for (Space space : back.spaces()) {
                            if (Files.exists(space.from())) {
                                deleteEmpty(space.to());
                            }
                        }
                    }
                    back.finish(false, between);
                    return new Undone(back.from(), aside);
                });
    }

    private static void deleteEmpty(Path directory) throws IOException {
        if (Files.exists(directory) && DeltaTarget.isFree(directory)) {
            Files.delete(directory);
        }
    }

    /// What is there must be a cluster, or what a restore left.
    private void keepable() throws IOException {
        if (DeltaTarget.isFree(directory) || pendingAside().isPresent()) {
            return;
        }
        boolean known = false;
        for (String name :
                List.of("PG_VERSION", ControlFile.PATH, RestoreMarker.NAME, DeltaMark.NAME)) {
            known |= Files.isRegularFile(directory.resolve(name), LinkOption.NOFOLLOW_LINKS);
        }
        if (!known) {
            throw new IOException(directory + " is no data directory");
        }
        planned();
    }

    private ClusterMove newest() throws IOException {
        for (Path each : siblings()) {
            Optional<ClusterMove> back =
                    ClusterMove.read(each, ClusterMove.BACK)
                            .filter(move -> move.from().equals(each))
                            .filter(move -> move.to().equals(directory));
            if (back.isPresent()) {
                return back.get();
            }
        }
        throw new MainstayException(
                ErrorCode.RESTORE_PREVIOUS,
                "nothing was set aside of " + directory,
                "'mainstay restore --keep-previous' does that",
                null);
    }
}
