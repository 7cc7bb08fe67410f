package dev.mainstay.repository;

import dev.mainstay.base.ByteSize;

import java.util.List;
import java.util.Optional;

/// How a backup is written.
///
/// @param type `full` or `incremental`, as recorded
/// @param parent the backup whose frames unchanged pages keep; empty stores everything anew
/// @param compressionLevel of zstd
/// @param packSize target size of data packs
/// @param refreshBudgetPages most pages that are written again only because their frames have
///   become thin; what is left over is recorded as debt
/// @param resumed backups that were begun, from which this one goes on: what they stored is stored.
///   Each must have been taken over, and have built on the same parent
public record BackupOptions(
        String type,
        Optional<CommittedBackup> parent,
        int compressionLevel,
        ByteSize packSize,
        FrameShape shape,
        long refreshBudgetPages,
        List<BegunBackup> resumed) {
    public BackupOptions {
        resumed = List.copyOf(resumed);
    }

    public BackupOptions(
            String type,
            Optional<CommittedBackup> parent,
            int compressionLevel,
            ByteSize packSize,
            FrameShape shape,
            long refreshBudgetPages) {
        this(type, parent, compressionLevel, packSize, shape, refreshBudgetPages, List.of());
    }

    public BackupOptions resuming(List<BegunBackup> begun) {
        return new BackupOptions(
                type, parent, compressionLevel, packSize, shape, refreshBudgetPages, begun);
    }

    /// Sizes of frames; tests use tiny ones.
    ///
    /// @param neighbours most pages of a frame of neighbouring pages
    /// @param scattered most pages of a frame of changed pages
    /// @param chunkMinBytes smallest, `chunkAverageBytes` usual and `chunkMaxBytes` largest chunk
    ///   of other files; powers of two
    /// @param refreshPercent a frame of which a smaller share of its stored bytes is still referred
    ///   to is given up
    /// @param chunksListed most chunks in a manifest entry, and in a list of chunks apart from it
    public record FrameShape(
            int neighbours,
            int scattered,
            int chunkMinBytes,
            int chunkAverageBytes,
            int chunkMaxBytes,
            int chunksListed,
            int refreshPercent) {
        public FrameShape(
                int neighbours,
                int scattered,
                int chunkMinBytes,
                int chunkAverageBytes,
                int chunkMaxBytes) {
            this(neighbours, scattered, chunkMinBytes, chunkAverageBytes, chunkMaxBytes, 8192, 50);
        }

        /// Format 1's: 128 and 64 pages; 256 KiB, 1 MiB, 4 MiB; the figures behind them are in
        /// docs/decisions/0002-format-figures.md.
        public static FrameShape standard() {
            return new FrameShape(128, 64, 256 << 10, 1 << 20, 4 << 20);
        }
    }

    public static BackupOptions full(int compressionLevel) {
        return new BackupOptions(
                "full",
                Optional.empty(),
                compressionLevel,
                ByteSize.mib(64),
                FrameShape.standard(),
                Long.MAX_VALUE); // of what it goes on from, if anything
    }

    /// @param refreshBudgetPages most pages to refresh
    public static BackupOptions incremental(
            CommittedBackup parent, int compressionLevel, long refreshBudgetPages) {
        return new BackupOptions(
                "incremental",
                Optional.of(parent),
                compressionLevel,
                ByteSize.mib(64),
                FrameShape.standard(),
                refreshBudgetPages);
    }
}
