package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/// What `restore_command` runs: brings one file of the archive. The target appears whole or not at
/// all.
public final class WalGet {
    private final WalArchive archive;
    private final int segmentSizeBytes;
    private final boolean unfinishedToo;

    /// @param unfinishedToo serve the stored part of a segment that is not finished, padded with
    ///   zeros: right for a recovery that ends there, wrong for a standby or `pg_rewind`
    public WalGet(
            ProtectedSource source, SystemId system, int segmentSizeBytes, boolean unfinishedToo) {
        this.archive = source.wal(system, 1);
        this.segmentSizeBytes = segmentSizeBytes;
        this.unfinishedToo = unfinishedToo;
    }

    /// Writes the file to `target`.
    ///
    /// @return false if it is proved absent: the repository answered and does not hold it
    /// @throws MainstayException WAL_FREED if it was there once: PostgreSQL must not take that for
    ///   the end of the log
    public boolean get(String name, Path target) {
        Optional<byte[]> content = content(name);
        content.ifPresent(bytes -> write(bytes, target));
        return content.isPresent();
    }

    WalArchive archive() {
        return archive;
    }

    int segmentSizeBytes() {
        return segmentSizeBytes;
    }

    private Optional<byte[]> content(String name) {
        if (!WalSegment.isName(name)) {
            return name.matches("[0-9A-F]{8}.*") ? archive.getFile(name) : Optional.empty();
        }
        WalSegment segment = WalSegment.parse(name, segmentSizeBytes);
        Optional<byte[]> content = archive.get(segment).or(() -> unfinished(segment));
        if (content.isEmpty() && archive.isFreed(segment)) {
            throw new MainstayException(
                    ErrorCode.WAL_FREED, "WAL segment " + segment + " was freed by retention");
        }
        return content;
    }

    private Optional<byte[]> unfinished(WalSegment segment) {
        byte[] parts = unfinishedToo ? archive.parts(segment) : new byte[0];
        return parts.length == 0
                ? Optional.empty()
                : Optional.of(Arrays.copyOf(parts, segmentSizeBytes));
    }

    /// As [#get], for a caller who renames the file to what PostgreSQL asked for when everything is
    /// well.
    ///
    /// @param fresh is made; only its owner may read it, and the group if it may read the folder
    public boolean getFresh(String name, Path fresh) {
        try (FreshFile file = new FreshFile(fresh, fresh.toAbsolutePath().getParent())) {
            boolean there =
                    WalSegment.isName(name)
                            && archive.get(WalSegment.parse(name, segmentSizeBytes), file);
            if (!there) {
                Optional<byte[]> content = content(name);
                if (content.isEmpty()) {
                    return false;
                }
                file.begin(content.get().length);
                file.accept(content.get(), 0, content.get().length);
            }
            file.keep();
            return true;
        } catch (IOException failed) {
            throw cannotWrite(fresh, failed);
        }
    }

    private static void write(byte[] content, Path target) {
        Path absolute = target.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".mainstay~");
        try {
            try (FileChannel out =
                    FileChannel.open(
                            temporary,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING,
                            StandardOpenOption.WRITE)) {
                FreshFile.write(content, 0, content.length, out);
            }
            Files.move(
                    temporary,
                    absolute,
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failed) {
            throw cannotWrite(target, failed);
        }
    }

    private static MainstayException cannotWrite(Path target, IOException failed) {
        return new MainstayException(
                ErrorCode.RESTORE_WRITE_FAILED, "cannot write " + target + ": " + failed, failed);
    }
}
