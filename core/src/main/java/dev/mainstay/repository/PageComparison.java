package dev.mainstay.repository;

import java.util.Optional;
import java.util.function.Supplier;

/// Is shown how the pages of a file compare with those that the earlier backup has. Only for a file
/// that the earlier backup has, and up to the length it has it in; called by the thread that reads
/// the pages.
public interface PageComparison {
    /// A page that is as it was, by its fingerprint.
    void same(int block);

    /// A page that differs.
    ///
    /// @param block its number within the file
    /// @param now holds the page as it was read, at `offset`
    /// @param earlier reads the earlier backup's page from the repository
    void differs(int block, byte[] now, int offset, Supplier<Optional<byte[]>> earlier);
}
