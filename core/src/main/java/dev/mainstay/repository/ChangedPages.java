package dev.mainstay.repository;

/// What whoever backs up a relation segment file knows of its pages: which may differ from those of
/// the backup it builds on. Pages that are not named are not read; the earlier backup's serve
/// again.
@FunctionalInterface
public interface ChangedPages {
    /// Nothing is known: every page is read and compared.
    ChangedPages ALL = (from, _) -> from;

    /// No page differs.
    ChangedPages NONE = (_, end) -> end;

    /// The first page from `from` on that may differ.
    ///
    /// @param from number of a page within the file
    /// @param end the page after the last that is asked for
    /// @return `end` if none of these differs
    int next(int from, int end);
}
