package dev.mainstay.engine.backup;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.RelationPageReader;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.ChangedPages;
import dev.mainstay.repository.FileFacts;
import dev.mainstay.repository.PartedFile;
import dev.mainstay.storage.wrap.Throttle;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/// Reads the files of a live cluster into a backup, each by the rule of its kind. One for each
/// worker.
final class FileCopier implements AutoCloseable {
    /// Files up to this size are read whole before they are stored, so that only what held still
    /// is.
    private static final int HELD = 16 << 20;

    /// Relation files are stored in parts of so many pages.
    private static final int PART_PAGES = 4096;

    private static final int ATTEMPTS = 5;

    /// What all workers share.
    ///
    /// @param known which pages may have changed since an earlier backup
    /// @param check if present, everything is read and held against that
    record Terms(
            BackupWriter writer,
            BiFunction<ClusterFile, BackupId, ChangedPages> known,
            Optional<ChangeCheck> check,
            int blockSizeBytes,
            int relationSegmentBlocks,
            Optional<RelationPageReader.Verification> verification,
            BackupFindings findings,
            Waiter waiter,
            Throttle throttle,
            Progress progress) {}

    private final Terms terms;
    private final BackupWriter.Worker worker;

    FileCopier(Terms terms) {
        this.terms = terms;
        this.worker = terms.writer.worker(terms.blockSizeBytes);
    }

    static FileFacts facts(ClusterFile file) {
        return new FileFacts(
                file.path(), file.mode(), file.owner(), file.group(), file.modifiedMicros());
    }

    /// What is to be copied: files as they are, and large relation files part by part, so that one
    /// of them does not keep a single worker busy while the others have nothing to do.
    static List<Task> tasks(ClusterFile file, Terms terms) {
        int parts =
                file.kind() instanceof ClusterFile.Relation
                        ? Math.ceilDiv(pages(file, terms), PART_PAGES)
                        : 1;
        if (parts <= 1) {
            return List.of(copier -> copier.copy(file));
        }
        LargeRelation relation = new LargeRelation(file, parts);
        return IntStream.range(0, parts)
                .<Task>mapToObj(part -> copier -> copier.part(relation, part))
                .toList();
    }

    /// Something that any worker can do.
    interface Task {
        void doWith(FileCopier copier);
    }

    private static int pages(ClusterFile file, Terms terms) {
        return (int) (file.sizeBytes() / terms.blockSizeBytes);
    }

    private void copy(ClusterFile file) {
        switch (file.kind()) {
            case ClusterFile.Relation _ -> part(new LargeRelation(file, 1), 0);
            case ClusterFile.Slru _ -> slru(file);
            case ClusterFile.Other _ -> other(file);
            case ClusterFile.Directory _ -> terms.writer.directory(facts(file));
            case ClusterFile.Link link -> terms.writer.link(facts(file), link.target());
        }
    }

    /// A relation file that all workers may store parts of.
    private static final class LargeRelation {
        private final ClusterFile file;
        private final int parts;
        private Optional<PartedFile> begun = Optional.empty();
        private boolean vanished;

        LargeRelation(ClusterFile file, int parts) {
            this.file = file;
            this.parts = parts;
        }

        synchronized PartedFile begun(FileCopier copier) {
            if (begun.isEmpty()) {
                begun =
                        Optional.of(
                                copier.worker.begin(
                                        facts(file),
                                        pages(file, copier.terms),
                                        parts,
                                        earlier ->
                                                copier.terms.check.isPresent()
                                                        ? ChangedPages.ALL
                                                        : copier.terms.known.apply(file, earlier)));
            }
            return begun.get();
        }

        /// Whether this part is the first to find the file gone. Without that part the file will
        /// never be complete, and so is not in the backup.
        synchronized boolean vanishes() {
            boolean first = !vanished;
            vanished = true;
            return first;
        }
    }

    private void part(LargeRelation relation, int part) {
        ClusterFile file = relation.file;
        int from = part * PART_PAGES;
        int end = Math.min(pages(file, terms), from + PART_PAGES);
        PartProgress progress =
                new PartProgress((end - from) * (long) terms.blockSizeBytes, terms.progress);
        try (LiveRelation live =
                new LiveRelation(
                        target(file),
                        terms.verification,
                        bytes -> {
                            progress.read(bytes);
                            terms.throttle.await(bytes);
                        })) {
            worker.part(
                    relation.begun(this),
                    from,
                    end,
                    live,
                    terms.check.flatMap(check -> check.of(file, target(file).firstBlock(), live)));
        } catch (LiveRelation.Vanished gone) {
            if (relation.vanishes()) {
                terms.findings.vanished(file);
            }
        } finally {
            progress.end();
        }
    }

    /// Counts a part's bytes once, whether they were read, read twice or not at all.
    private static final class PartProgress {
        private final Progress progress;
        private long left;

        PartProgress(long bytes, Progress progress) {
            this.left = bytes;
            this.progress = progress;
        }

        void read(long bytes) {
            long counted = Math.min(left, bytes);
            left -= counted;
            progress.advance(counted);
        }

        void end() {
            read(left);
        }
    }

    private RelationPageReader.Target target(ClusterFile file) {
        return new RelationPageReader.Target(
                file.source(),
                file.path(),
                file.relation().orElseThrow().firstBlock(terms.relationSegmentBlocks),
                file.sizeBytes(),
                terms.blockSizeBytes);
    }

    /// The size at the start applies: what grows after that comes from WAL.
    private void slru(ClusterFile file) {
        terms.throttle.await(file.sizeBytes());
        try (InputStream in = Files.newInputStream(file.source())) {
            byte[] bytes = in.readNBytes(Math.toIntExact(file.sizeBytes()));
            terms.writer.file(facts(file), new ByteArrayInputStream(bytes));
        } catch (NoSuchFileException truncatedAway) {
            // commit log segments go when all their transactions are frozen; WAL says so
            return;
        } catch (IOException failed) {
            throw unreadable(file.source(), failed);
        } finally {
            terms.progress.advance(file.sizeBytes());
        }
    }

    /// Read until size and time hold still.
    private void other(ClusterFile file) {
        terms.throttle.await(file.sizeBytes());
        try {
            if (file.sizeBytes() > HELD) {
                large(file);
                return;
            }
            byte[] bytes = new byte[0];
            for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
                BasicFileAttributes before = attributes(file.source());
                bytes = Files.readAllBytes(file.source());
                BasicFileAttributes after = attributes(file.source());
                if (before.size() == after.size()
                        && bytes.length == after.size()
                        && before.lastModifiedTime().equals(after.lastModifiedTime())) {
                    terms.writer.file(facts(file), new ByteArrayInputStream(bytes));
                    return;
                }
                terms.waiter.await(attempt);
            }
            terms.findings.warning("file " + file.path() + " kept changing while it was read");
            terms.writer.file(facts(file), new ByteArrayInputStream(bytes));
        } catch (NoSuchFileException gone) {
            terms.findings.vanished(file);
        } catch (IOException failed) {
            throw unreadable(file.source(), failed);
        } finally {
            terms.progress.advance(file.sizeBytes());
        }
    }

    private void large(ClusterFile file) throws IOException {
        BasicFileAttributes before = attributes(file.source());
        try (InputStream in = Files.newInputStream(file.source())) {
            terms.writer.file(facts(file), new Limited(in, before.size()));
        }
        if (!before.lastModifiedTime().equals(attributes(file.source()).lastModifiedTime())) {
            terms.findings.warning("file " + file.path() + " changed while it was read");
        }
    }

    private static BasicFileAttributes attributes(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class);
    }

    static MainstayException unreadable(Path file, IOException failed) {
        return new MainstayException(
                ErrorCode.BACKUP_FILE_UNREADABLE, "cannot read " + file + ": " + failed, failed);
    }

    /// The first bytes of a stream, and not what is appended while it is read.
    private static final class Limited extends InputStream {
        private final InputStream in;
        private long left;

        Limited(InputStream in, long limitBytes) {
            this.in = in;
            this.left = limitBytes;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (left <= 0) {
                return -1;
            }
            int got = in.read(into, offset, (int) Math.min(length, left));
            left -= Math.max(got, 0);
            return got;
        }
    }

    @Override
    public void close() {
        worker.close();
    }
}
