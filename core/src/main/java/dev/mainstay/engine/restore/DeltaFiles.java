package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.PagePrints;
import dev.mainstay.repository.format.ManifestEntry;
import dev.mainstay.repository.format.ManifestEntry.Content;
import dev.mainstay.repository.format.SegmentMap;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Makes files what a backup has of them, many at a time: first they are compared, then what
/// differs is fetched and written.
final class DeltaFiles {
    private static final int FILES_AT_ONCE = 50_000;
    private static final long PIECES_AT_ONCE = 2L << 20;

    private final BackupReader reader;
    private final Ownership ownership;
    private final int threads;
    private final Progress progress;
    private final LocalCompare compare;
    private List<LocalContent> batch = new ArrayList<>();
    private long pieces;
    private long fetched;

    DeltaFiles(BackupReader reader, Ownership ownership, int threads, Progress progress) {
        this.reader = reader;
        this.ownership = ownership;
        this.threads = Math.max(1, threads);
        this.progress = progress;
        this.compare = new LocalCompare(reader, progress);
    }

    void add(ManifestEntry entry, Path path) {
        content(entry, path).ifPresent(batch::add);
        if (Thread.currentThread().isInterrupted()) {
            throw new MainstayException(ErrorCode.INTERRUPTED, "stopped");
        }
        if (batch.size() >= FILES_AT_ONCE || pieces >= PIECES_AT_ONCE) {
            finish();
        }
    }

    private Optional<LocalContent> content(ManifestEntry entry, Path path) {
        return switch (entry.content()) {
            case Content.Directory _, Content.Link _ -> Optional.empty();
            case Content.Paged paged -> {
                SegmentMap map = reader.map(paged);
                long bytes = localBytes(path, entry);
                pieces += map.pageCount();
                yield Optional.of(
                        bytes == 0
                                ? LocalContent.absent(entry, path, map)
                                : prints(paged, map)
                                        .map(
                                                each ->
                                                        LocalContent.ofPages(
                                                                entry, path, bytes, map, each))
                                        .orElseGet(
                                                () ->
                                                        LocalContent.ofFrames(
                                                                entry, path, bytes, map)));
            }
            case Content.Chunked chunked -> {
                pieces += chunked.chunks().size();
                yield Optional.of(
                        LocalContent.ofChunks(
                                entry, path, localBytes(path, entry), chunked.chunks()));
            }
        };
    }

    /// Only the newest backup of a source has to have them.
    private Optional<PagePrints> prints(Content.Paged paged, SegmentMap map) {
        if (paged.prints().isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(reader.pagePrints(paged.prints().get(), map.pageCount()));
        } catch (MainstayException gone) {
            if (gone.code() == ErrorCode.STORE_UNAVAILABLE) {
                throw gone;
            }
            return Optional.empty();
        }
    }

    /// How much of a file may be kept; it gets no longer than it shall be.
    private static long localBytes(Path path, ManifestEntry entry) {
        long[] bytes = new long[1];
        RestoreFiles.attempt(
                "look at " + path,
                () -> {
                    try {
                        BasicFileAttributes found =
                                Files.readAttributes(
                                        path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                        if (!found.isRegularFile()) {
                            throw new IOException("it is no plain file any more");
                        }
                        bytes[0] = Math.min(found.size(), entry.sizeBytes());
                        if (found.size() > entry.sizeBytes()) {
                            shorten(path, entry.sizeBytes());
                        }
                    } catch (NoSuchFileException missing) {
                        RestoreFiles.create(path);
                    }
                });
        return bytes[0];
    }

    private static void shorten(Path path, long bytes) throws IOException {
        try (FileChannel file =
                FileChannel.open(path, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
            file.truncate(bytes);
        }
    }

    /// When this returns, all files are what they shall be, and durable.
    void finish() {
        compare.run(batch, threads);
        FrameReads wanted = new FrameReads();
        try (FileSyncs syncs = new FileSyncs(ownership)) {
            for (LocalContent content : batch) {
                FileWork file = content.work(wanted);
                if (file.framesLeft() == 0) {
                    file.demandWhole();
                    syncs.complete(file); // also what was there may not have reached the disk
                } else {
                    RestoreFiles.attempt("write " + file.path(), file::giveLength);
                }
            }
            fetched += wanted.bytes();
            wanted.run(reader, threads, () -> new FileSink(syncs), progress);
            syncs.await();
        }
        batch = new ArrayList<>();
        pieces = 0;
    }

    long comparedBytes() {
        return compare.comparedBytes();
    }

    long keptBytes() {
        return compare.keptBytes();
    }

    long fetchedBytes() {
        return fetched;
    }
}
