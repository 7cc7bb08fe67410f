package dev.mainstay.engine.backup;

import dev.mainstay.postgres.cluster.IncrementalHeader;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.cluster.StreamedFile;
import dev.mainstay.repository.ChangedPages;

import java.util.function.Function;

/// A relation segment file of which a server sends only what it believes has changed: what its
/// pages are made of.
///
/// The server is not believed. It leaves out what its summaries of the log do not name, and these
/// were wrong in more than one way (docs/decisions/0008). So the log itself, as it lies in the
/// repository, decides: every page that it names has to come; a page from where the file was
/// truncated on that is not named since then was never written, and is zeros, whatever the earlier
/// backup has there; and what lies beyond the file in the earlier backup is zeros, too, unless it
/// came. Only what the log does not name is taken from the earlier backup.
final class IncrementalPages implements ChangedPages {
    private final IncrementalHeader header;
    private final long zerosFrom;

    private IncrementalPages(IncrementalHeader header, long zerosFrom) {
        this.header = header;
        this.zerosFrom = zerosFrom;
    }

    /// Reads what comes before the pages.
    ///
    /// @param log what it says of a main fork's file
    /// @throws NotIncremental if it makes no sense, or lacks a page
    static IncrementalPages read(
            StreamedFile file,
            IncrementalHeader.Source source,
            BackupDetails.Layout layout,
            Function<RelationFile, LoggedPages> log) {
        RelationFile relation = file.relation().orElseThrow();
        IncrementalHeader header;
        try {
            header =
                    IncrementalHeader.read(
                            source, file.sizeBytes(), layout.blockSize(), layout.segmentPages());
        } catch (IllegalArgumentException nonsense) {
            throw new NotIncremental(
                    "the server sent "
                            + file.sentAs()
                            + " as no server does: "
                            + nonsense.getMessage());
        }
        if (relation.fork() != RelationFile.Fork.MAIN) {
            throw new NotIncremental(
                    "the server sent " + file.sentAs() + ", which was to come whole");
        }
        LoggedPages logged = log.apply(relation);
        requireWhole(file, header, logged);
        return new IncrementalPages(header, Math.min(logged.limit(), header.truncation()));
    }

    private static void requireWhole(
            StreamedFile file, IncrementalHeader header, LoggedPages logged) {
        if (logged.limit() == 0) {
            throw new NotIncremental(
                    "the server takes "
                            + file.path()
                            + " for an old file with changes, the WAL says it is new");
        }
        for (int page : logged.named()) {
            if (page < header.pages() && !header.has(page)) {
                throw new NotIncremental(
                        "the server's WAL summaries lack a change: page "
                                + page
                                + " of "
                                + file.path()
                                + ", which the WAL names, did not come");
            }
        }
    }

    /// How many pages the file has.
    int pages() {
        return header.pages();
    }

    /// How many pages come between these.
    int count(int from, int end) {
        return header.countBefore(end) - header.countBefore(from);
    }

    /// Whether a page comes; else it is zeros, or that of the earlier backup.
    boolean comes(int page) {
        return header.has(page);
    }

    @Override
    public int next(int from, int end) {
        return (int) Math.min(header.next(from, end), Math.max(from, zerosFrom));
    }
}
