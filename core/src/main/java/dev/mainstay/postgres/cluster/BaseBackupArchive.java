package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Reads one tar archive of a base backup, file by file as they come; nothing is kept.
///
/// Only what PostgreSQL puts there is taken: files and directories with relative names. Anything
/// else, a header whose checksum is wrong, and an archive that ends before its last file does is
/// refused with SERVER_PROTOCOL. Whether files are missing only the manifest tells.
public final class BaseBackupArchive {
    private static final int RECORD = 512;

    /// Reading one record at a time keeps the library from looking for bytes behind the end.
    private static final int BLOCK = RECORD;

    private final String prefix;
    private final Counted content;
    private final TarArchiveInputStream tar;
    private final boolean incremental;
    private String current = "";
    private long left;

    private BaseBackupArchive(String prefix, InputStream content, boolean incremental) {
        this.prefix = prefix;
        this.incremental = incremental;
        this.content = new Counted(content);
        // Every byte is a character of this charset: names are judged below.
        this.tar =
                new TarArchiveInputStream(
                        this.content, BLOCK, RECORD, StandardCharsets.ISO_8859_1.name());
    }

    /// @param tablespaceOid whose files the archive holds; empty for the data directory
    /// @param content the archive; not closed
    public static BaseBackupArchive of(Optional<String> tablespaceOid, InputStream content) {
        return of(tablespaceOid, content, false);
    }

    /// @param incremental whether of relation files only changed pages may come
    public static BaseBackupArchive of(
            Optional<String> tablespaceOid, InputStream content, boolean incremental) {
        return new BaseBackupArchive(
                tablespaceOid.map(oid -> "pg_tblspc/" + oid + "/").orElse(""),
                content,
                incremental);
    }

    /// The next file or directory; what was not read of the one before is passed over.
    public Optional<StreamedFile> next() {
        try {
            skip();
            TarArchiveEntry entry = tar.getNextEntry();
            if (entry == null) {
                requireEnd();
                return Optional.empty();
            }
            current = name(entry);
            StreamedFile file = file(entry);
            left = file.sizeBytes();
            return Optional.of(file);
        } catch (IOException | IllegalArgumentException failed) {
            throw broken(failed);
        }
    }

    /// Reads the next bytes of the current file.
    ///
    /// @return how many; fewer than asked for only where the file ends
    public int read(byte[] into, int offset, int length) {
        int wanted = (int) Math.min(length, left);
        int got = 0;
        try {
            while (got < wanted) {
                int more = tar.read(into, offset + got, wanted - got);
                if (more <= 0) {
                    throw new IOException("it ends early");
                }
                got += more;
            }
        } catch (IOException failed) {
            throw broken(failed);
        }
        left -= got;
        return got;
    }

    private void skip() {
        byte[] passed = new byte[(int) Math.min(left, 1 << 16)];
        while (left > 0) {
            read(passed, 0, passed.length);
        }
    }

    private StreamedFile file(TarArchiveEntry entry) {
        if (!entry.isCheckSumOK()) {
            throw new IllegalArgumentException("a header with a wrong checksum");
        }
        boolean directory = entry.getLinkFlag() == TarArchiveEntry.LF_DIR;
        boolean plain =
                entry.getLinkFlag() == TarArchiveEntry.LF_NORMAL
                        || entry.getLinkFlag() == TarArchiveEntry.LF_OLDNORM;
        if ((!directory && !plain) || entry.isSparse() || entry.getSize() < 0) {
            throw new IllegalArgumentException(
                    "an entry of type '" + (char) entry.getLinkFlag() + "'");
        }
        Optional<String> whole =
                incremental && plain
                        ? StreamedFile.withoutPrefix(current)
                                .filter(path -> RelationFile.at(path).isPresent())
                        : Optional.empty();
        String path = whole.orElse(current);
        return new StreamedFile(
                path,
                directory ? ClusterFile.Directory.INSTANCE : kind(path),
                directory ? 0 : entry.getSize(),
                entry.getLastModifiedTime().to(java.util.concurrent.TimeUnit.MICROSECONDS),
                entry.getMode() & 07777,
                whole.isPresent());
    }

    private static ClusterFile.Kind kind(String path) {
        int slash = path.lastIndexOf('/');
        String parent = slash < 0 ? "" : path.substring(0, slash);
        String name = path.substring(slash + 1);
        Optional<RelationFile> relation = RelationFile.at(path);
        if (relation.isPresent()) {
            return new ClusterFile.Relation(relation.get());
        }
        return ClusterPaths.isSlru(parent) && ClusterPaths.isSlruSegment(name)
                ? ClusterFile.Slru.INSTANCE
                : ClusterFile.Other.INSTANCE;
    }

    private String name(TarArchiveEntry entry) {
        String name = utf8(entry.getName());
        // The server puts "./" before the directories it keeps empty in pg_wal.
        String plain = name.substring(name.startsWith("./") ? 2 : 0);
        plain = plain.endsWith("/") ? plain.substring(0, plain.length() - 1) : plain;
        for (String part : plain.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                throw new IllegalArgumentException("the name '" + name + "'");
            }
        }
        return prefix + plain;
    }

    private static String utf8(String bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)))
                    .toString();
        } catch (CharacterCodingException noUtf8) {
            throw new MainstayException(
                    ErrorCode.BACKUP_FILE_UNREADABLE,
                    "the name of a file of the cluster is no UTF-8: " + bytes,
                    "remove or rename it",
                    noUtf8);
        }
    }

    /// After the last file come zeros up to the end, or nothing.
    private void requireEnd() throws IOException {
        byte[] rest = new byte[RECORD * 2];
        for (int got = content.read(rest, 0, rest.length);
                got >= 0;
                got = content.read(rest, 0, rest.length)) {
            if (got > 0 && !PageCheck.isZero(rest, 0, got)) {
                throw new IOException("something follows its end");
            }
        }
        if (content.count % RECORD != 0) {
            throw new IOException("it ends within a header");
        }
    }

    private MainstayException broken(Exception failed) {
        String after = current.isEmpty() ? "" : " at " + current;
        return new MainstayException(
                ErrorCode.SERVER_PROTOCOL,
                "the archive"
                        + (prefix.isEmpty() ? "" : " of " + prefix)
                        + " in the base backup cannot be read"
                        + after
                        + ": "
                        + failed.getMessage(),
                failed);
    }

    private static final class Counted extends FilterInputStream {
        private long count;

        Counted(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int one = in.read();
            count += one < 0 ? 0 : 1;
            return one;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            int got = in.read(into, offset, length);
            count += Math.max(got, 0);
            return got;
        }

        /// The library skips what it does not look at; counted all the same.
        @Override
        public long skip(long bytes) throws IOException {
            byte[] passed = new byte[Math.clamp(bytes, 0, 1 << 16)];
            int got = passed.length == 0 ? 0 : read(passed, 0, passed.length);
            return Math.max(got, 0);
        }

        @Override
        public boolean markSupported() {
            return false;
        }
    }
}
