package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Reads the pages of one segment file of a relation while the server may be writing it, and checks
/// each of them.
///
/// Only whole pages of the start size are read: what the file grows by after that comes from WAL,
/// and so does a last page that is not complete yet. Where the file is shorter by the time it is
/// read, the server truncated it: reading ends there ([#truncated]), and WAL replay does the same.
///
/// A page whose checksum is wrong is read again, up to [#ATTEMPTS] times in all. If it stays wrong
/// and its LSN lies between the start of the backup and the server's insert position, then it is
/// being written, replay puts it right, and it is only counted ([#beingWritten]). Otherwise it is
/// damaged: it is reported and handed out as it stands in the file.
///
/// Not safe for use by several threads; open one reader for each file.
public final class RelationPageReader implements Closeable {
    /// How often a page is read before it counts as wrong.
    public static final int ATTEMPTS = 5;

    private final Target target;
    private final Optional<Verification> verification;
    private final FileChannel channel;
    private final int pages;
    private int next;
    private boolean truncated;
    private int beingWritten;

    /// What to read.
    ///
    /// @param relativePath to report damage under
    /// @param firstBlock of the file within its fork ([RelationFile#firstBlock])
    /// @param startSizeBytes the file's size when the backup listed it
    public record Target(
            Path file,
            String relativePath,
            int firstBlock,
            long startSizeBytes,
            int blockSizeBytes) {}

    /// How to check pages; leave it out for a cluster without data checksums, whose pages are then
    /// handed out unchecked.
    ///
    /// @param insertPosition asks the server where it inserts WAL now
    /// @param damage is told each damaged page, once
    public record Verification(
            Lsn backupStart,
            Supplier<Lsn> insertPosition,
            Waiter waiter,
            Consumer<DamagedPage> damage) {}

    private RelationPageReader(
            Target target, Optional<Verification> verification, FileChannel channel) {
        this.target = target;
        this.verification = verification;
        this.channel = channel;
        this.pages = Math.toIntExact(target.startSizeBytes() / target.blockSizeBytes());
    }

    /// Opens the file; empty if it vanished.
    ///
    /// @throws MainstayException BACKUP_FILE_UNREADABLE
    public static Optional<RelationPageReader> open(
            Target target, Optional<Verification> verification) {
        try {
            FileChannel channel = FileChannel.open(target.file(), StandardOpenOption.READ);
            return Optional.of(new RelationPageReader(target, verification, channel));
        } catch (NoSuchFileException vanished) {
            return Optional.empty();
        } catch (IOException e) {
            throw unreadable(target, e);
        }
    }

    /// Reads the next pages, up to `maxPages`, into `buffer` from `offset`.
    ///
    /// @return how many were read; 0 at the end of the start size, or where the file was truncated
    /// @throws MainstayException BACKUP_FILE_UNREADABLE, and what the verification's callbacks
    ///   throw
    public int read(byte[] buffer, int offset, int maxPages) {
        int wanted = Math.min(maxPages, pages - next);
        if (wanted <= 0) {
            return 0;
        }
        int block = target.blockSizeBytes();
        int got = readAt(buffer, offset, wanted * block, (long) next * block) / block;
        truncated |= got < wanted;
        if (verification.isPresent()) {
            got = verify(verification.get(), buffer, offset, got);
        }
        next += got;
        return got;
    }

    /// Has [#read] go on at another page.
    public void seek(int page) {
        next = page;
    }

    /// Index within the file of the page that [#read] reads next.
    public int position() {
        return next;
    }

    /// Whether the file turned out to be shorter than its start size.
    public boolean truncated() {
        return truncated;
    }

    /// How many pages were accepted although their checksum is wrong, because the server was
    /// writing them.
    public int beingWritten() {
        return beingWritten;
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw unreadable(target, e);
        }
    }

    /// Reads wrong pages again until they are right or have to be judged; all of them after each
    /// wait, or a file with many damaged pages would take for ever.
    ///
    /// @return pages that are still there
    private int verify(Verification how, byte[] buffer, int offset, int count) {
        int block = target.blockSizeBytes();
        int there = count;
        List<Integer> wrong = new ArrayList<>();
        for (int page = 0; page < count; page++) {
            if (!check(buffer, offset, page).sound()) {
                wrong.add(page);
            }
        }
        for (int attempt = 1; attempt < ATTEMPTS && !wrong.isEmpty(); attempt++) {
            how.waiter().await(attempt);
            List<Integer> still = new ArrayList<>();
            for (int page : wrong) {
                long position = (long) (next + page) * block;
                if (readAt(buffer, offset + page * block, block, position) < block) {
                    truncated = true;
                    there = page;
                    break;
                }
                if (!check(buffer, offset, page).sound()) {
                    still.add(page);
                }
            }
            wrong = still;
        }
        for (int page : wrong) {
            if (check(buffer, offset, page) instanceof PageCheck.Mismatch mismatch) {
                judge(how, mismatch, next + page);
            }
        }
        return there;
    }

    private PageCheck.Result check(byte[] buffer, int offset, int page) {
        int block = target.blockSizeBytes();
        return PageCheck.verify(
                buffer, offset + page * block, block, target.firstBlock() + next + page);
    }

    private void judge(Verification how, PageCheck.Mismatch wrong, int inFile) {
        boolean sinceStart = !wrong.lsn().isBefore(how.backupStart());
        if (sinceStart && !wrong.lsn().isAfter(how.insertPosition().get())) {
            beingWritten++;
            return;
        }
        how.damage()
                .accept(
                        new DamagedPage(
                                target.relativePath(),
                                Integer.toUnsignedLong(target.firstBlock() + inFile),
                                inFile,
                                wrong.found(),
                                wrong.expected()));
    }

    /// @return bytes read, fewer than `length` only at the end of the file
    private int readAt(byte[] buffer, int offset, int length, long position) {
        ByteBuffer into = ByteBuffer.wrap(buffer, offset, length);
        try {
            while (into.hasRemaining()) {
                int got = channel.read(into, position + into.position() - offset);
                if (got < 0) {
                    break;
                }
            }
        } catch (IOException e) {
            throw unreadable(target, e);
        }
        return into.position() - offset;
    }

    private static MainstayException unreadable(Target target, IOException e) {
        return new MainstayException(
                ErrorCode.BACKUP_FILE_UNREADABLE, "cannot read " + target.file() + ": " + e, e);
    }
}
