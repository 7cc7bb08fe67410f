package dev.mainstay.engine.archive;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.base.WalSegment;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.Waiter;
import dev.mainstay.postgres.wal.WalLayout;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.WalArchive;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.IntFunction;

/// What `archive_command` runs: stores one file of `pg_wal`, and returns only once it is stored.
public final class WalPush {
    private static final int HEAD = 8192;

    /// Read at once; the JDK copies it through native memory of that size.
    private static final int CHUNK = 1 << 18;

    private final ProtectedSource source;
    private final int compressionLevel;

    /// Where a segment belongs.
    record Target(WalArchive archive, WalSegment segment) {}

    /// A segment whose content is what its name says.
    record Checked(Target target, byte[] content) {}

    public WalPush(ProtectedSource source, int compressionLevel) {
        this.source = source;
        this.compressionLevel = compressionLevel;
    }

    /// Stores a segment, or a history, backup or partial file.
    ///
    /// @param file the path PostgreSQL gave for `%p`, resolved
    /// @param dataDirectory where the server runs `archive_command`
    /// @throws MainstayException WAL_FILE_INVALID if the file is not what its name says,
    ///   WAL_CONFLICT if the repository holds other content under that name
    public WalArchive.Stored push(Path file, Path dataDirectory) {
        String name = file.getFileName().toString();
        if (WalSegment.isName(name)) {
            return pushSegment(check(file, dataDirectory, byte[]::new));
        }
        byte[] content = read(file, byte[]::new);
        Optional<ControlFile> control = control(dataDirectory);
        if (!name.matches("[0-9A-F]{8}\\.history|[0-9A-F]{24}\\.(partial|[0-9A-F]{8}\\.backup)")) {
            throw invalid(name, "has no name that PostgreSQL archives");
        }
        SystemId system =
                control.map(ControlFile::systemId)
                        .orElseThrow(
                                () ->
                                        invalid(
                                                name,
                                                "cannot be told a cluster: run in its data"
                                                        + " directory"));
        return source.wal(system, compressionLevel).putFile(name, content);
    }

    private static WalArchive.Stored pushSegment(Checked checked) {
        Target target = checked.target;
        WalArchive.Stored stored = target.archive.put(target.segment, checked.content);
        // Each push is a process of its own: what the log says of catalogs since the newest backup
        // is not read again for each. Damage of what was stored before is for `verify` to tell.
        Optional<MainstayException> _ =
                new SegmentSummaries(target.archive, 0)
                        .storedThough(target.segment, checked.content);
        return stored;
    }

    ProtectedSource source() {
        return source;
    }

    /// Where a segment file belongs, by its first page.
    Target target(Path file, Path dataDirectory) {
        byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(HEAD);
        } catch (IOException failed) {
            throw unreadable(file, failed);
        }
        return target(file.getFileName().toString(), head, control(dataDirectory));
    }

    /// Reads a segment file.
    ///
    /// @param memory gives an array of this length, whatever it holds
    Checked check(Path file, Path dataDirectory, IntFunction<byte[]> memory) {
        byte[] content = read(file, memory);
        return new Checked(
                target(file.getFileName().toString(), content, control(dataDirectory)), content);
    }

    private Target target(String name, byte[] content, Optional<ControlFile> control) {
        WalLayout layout = WalLayout.read(content);
        SystemId system = layout.system().orElseThrow(() -> invalid(name, "names no cluster"));
        if (control.isPresent() && !control.get().systemId().equals(system)) {
            throw invalid(
                    name, "belongs to system " + system + ", not to " + control.get().systemId());
        }
        WalSegment segment = WalSegment.parse(name, layout.segmentBytes());
        requireAddress(segment, content);
        return new Target(source.wal(system, compressionLevel), segment);
    }

    /// The first page must say the address that the name says (xlogreader's own first check).
    static void requireAddress(WalSegment segment, byte[] content) {
        ByteBuffer page = ByteBuffer.wrap(content).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        long address = page.getLong(8);
        int timeline = page.getInt(4);
        if (address != segment.start().value()
                || timeline == 0
                || TimelineId.of(timeline).compareTo(segment.timeline()) > 0) {
            throw invalid(segment.fileName(), "holds the WAL of another position");
        }
    }

    private static Optional<ControlFile> control(Path dataDirectory) {
        return Files.exists(dataDirectory.resolve(ControlFile.PATH))
                ? Optional.of(
                        ControlFile.read(
                                dataDirectory, Waiter.sleeping(java.time.Duration.ofMillis(20))))
                : Optional.empty();
    }

    private static byte[] read(Path file, IntFunction<byte[]> memory) {
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            byte[] content = memory.apply(Math.toIntExact(in.size()));
            for (int done = 0; done < content.length; ) {
                int chunk = Math.min(CHUNK, content.length - done);
                int count = in.read(ByteBuffer.wrap(content, done, chunk));
                if (count < 0) {
                    throw new EOFException(file + " became shorter");
                }
                done += count;
            }
            return content;
        } catch (IOException failed) {
            throw unreadable(file, failed);
        }
    }

    private static MainstayException unreadable(Path file, IOException failed) {
        return new MainstayException(
                ErrorCode.WAL_FILE_INVALID, "cannot read " + file + ": " + failed, failed);
    }

    static MainstayException invalid(String name, String why) {
        return new MainstayException(ErrorCode.WAL_FILE_INVALID, "WAL file " + name + " " + why);
    }
}
