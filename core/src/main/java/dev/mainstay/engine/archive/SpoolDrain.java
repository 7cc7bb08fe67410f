package dev.mainstay.engine.archive;

import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.repository.ProtectedSource;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Stores what an earlier receiver left in its spool while the server cannot be reached: if the
/// server is lost for good, this is the newest there is of it.
final class SpoolDrain {
    private static final int FIRST_PAGE = 8192;
    private static final Duration LOOK = Duration.ofMillis(100);

    /// A repository that takes nothing for so long is away, too.
    private static final Duration PATIENCE = Duration.ofSeconds(70);

    private final ProtectedSource source;
    private final int compressionLevel;
    private final Progress progress;
    private final StopSignal stop;

    SpoolDrain(ProtectedSource source, int compressionLevel, Progress progress, StopSignal stop) {
        this.source = source;
        this.compressionLevel = compressionLevel;
        this.progress = progress;
        this.stop = stop;
    }

    /// @param spools a folder for each cluster, named by its system identifier
    void run(Path spools) {
        for (Path folder : folders(spools)) {
            try {
                SystemId system = SystemId.parse(folder.getFileName().toString());
                segmentBytes(folder).ifPresent(size -> drain(system, folder, size));
            } catch (IllegalArgumentException noSpool) {
                // something else lies here
            }
        }
    }

    private static List<Path> folders(Path spools) {
        try (Stream<Path> children = Files.list(spools)) {
            return children.filter(Files::isDirectory).sorted().toList();
        } catch (IOException none) {
            return List.of();
        }
    }

    /// As the first page of some segment tells; empty if there is none that is one.
    private static Optional<Integer> segmentBytes(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches("[0-9A-F]{24}.*"))
                    .flatMap(file -> layout(file).stream())
                    .map(WalLayout::segmentBytes)
                    .findFirst();
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    private static Optional<WalLayout> layout(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Optional.of(WalLayout.read(in.readNBytes(FIRST_PAGE)));
        } catch (IOException | MainstayException noWal) {
            return Optional.empty();
        }
    }

    private void drain(SystemId system, Path folder, int segmentBytes) {
        try (Spool spool = Spool.open(folder, segmentBytes)) {
            List<WalSegment> unfinished = spool.unfinished();
            List<WalSegment> finished = spool.finished();
            if (unfinished.isEmpty() && finished.isEmpty() && spool.left().isEmpty()) {
                return;
            }
            Optional<WalSegment> last = unfinished.stream().reduce((_, later) -> later);
            spool.leave(last);
            Positions positions =
                    new Positions(
                            source.repository().ground().clock(),
                            last.map(WalSegment::timeline).orElse(TimelineId.of(1)));
            last.ifPresent(
                    segment -> positions.spooled(segment.start().plus(spool.validBytes(segment))));
            SpoolUploader uploader =
                    new SpoolUploader(
                            spool,
                            source.wal(system, compressionLevel),
                            positions,
                            LOOK,
                            progress,
                            () -> {});
            await(spool, uploader);
            uploader.close();
            uploader.check();
            if (spool.finished().isEmpty() && spool.left().isEmpty()) {
                progress.note(
                        "the server is away; what waited in the spool "
                                + folder
                                + " is stored now"
                                + last.map(segment -> ", up to " + positions.spooled()).orElse(""));
            }
        }
    }

    private void await(Spool spool, SpoolUploader uploader) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        int waiting = spool.finished().size();
        while (waiting > 0 && !stop.isRaised() && System.nanoTime() - deadline < 0) {
            uploader.check();
            stop.pause(LOOK);
            int now = spool.finished().size();
            if (now < waiting) {
                deadline = System.nanoTime() + PATIENCE.toNanos();
            }
            waiting = now;
        }
    }
}
