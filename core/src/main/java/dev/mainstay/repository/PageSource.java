package dev.mainstay.repository;

/// Where the pages of a relation segment file come from while it is backed up.
@FunctionalInterface
public interface PageSource {
    /// Reads neighbouring pages.
    ///
    /// @param firstBlock number of the first page within the file
    /// @param pages how many are wanted
    /// @param into receives them from its start
    /// @return pages read; fewer than wanted only where the file ends by now
    int read(int firstBlock, int pages, byte[] into);

    /// Whether any page can be read as it is now, as often as one likes.
    default boolean isLive() {
        return true;
    }
}
