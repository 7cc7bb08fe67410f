package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Progress;
import dev.mainstay.postgres.cluster.BaseBackupArchive;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.StreamedFile;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.FileFacts;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;

/// Reads the archives of a base backup: pages of relation files go to the workers, everything else
/// into the backup at once. For one thread.
final class StreamedFiles {
    /// The server names all owners so, whoever they are.
    private static final String OWNER = "postgres";

    /// What recovery starts by, and the control file: a few lines, or a few thousand tablespaces.
    private static final int HELD_MOST = 16 << 20;

    private static final String LABEL = "backup_label";
    private static final String TABLESPACE_MAP = "tablespace_map";

    private final BackupWriter writer;
    private final BackupDetails.Layout layout;
    private final PageRelay relay;
    private final Progress progress;
    private final int slicePages;
    private final int runPages;
    private final Optional<KnownChanges> known;
    private final ArrivedFiles arrived = new ArrivedFiles();
    private final Map<String, byte[]> held = new HashMap<>();
    private Optional<StreamedFile> control = Optional.empty();

    /// @param slicePages pages of a relation file that one worker stores
    /// @param runPages pages that fit into a buffer of the relay
    /// @param known what the log says, if the server sends only what changed
    StreamedFiles(
            BackupWriter writer,
            BackupDetails.Layout layout,
            PageRelay relay,
            Progress progress,
            int slicePages,
            int runPages,
            Optional<KnownChanges> known) {
        this.writer = writer;
        this.layout = layout;
        this.relay = relay;
        this.progress = progress;
        this.slicePages = slicePages;
        this.runPages = runPages;
        this.known = known;
    }

    ArrivedFiles arrived() {
        return arrived;
    }

    /// Reads one archive to its end.
    ///
    /// @param tablespaceOid empty for the data directory's
    void read(Optional<String> tablespaceOid, InputStream archive) {
        BaseBackupArchive tar = BaseBackupArchive.of(tablespaceOid, archive, known.isPresent());
        for (Optional<StreamedFile> file = tar.next(); file.isPresent(); file = tar.next()) {
            read(tar, file.get());
        }
    }

    private void read(BaseBackupArchive tar, StreamedFile file) {
        CRC32C crc = new CRC32C();
        if (file.isDirectory()) {
            writer.directory(facts(file));
            return;
        } else if (file.incremental()) {
            changedPages(tar, file, crc);
        } else if (file.relation().isPresent()) {
            relation(tar, file, crc);
        } else if (isHeld(file)) {
            hold(tar, file, crc);
        } else if (file.isKept()) {
            other(tar, file, crc);
        } else {
            passOver(tar, file, crc);
        }
        arrived.arrived(file.sentAs(), file.sizeBytes(), (int) crc.getValue());
    }

    private static FileFacts facts(StreamedFile file) {
        return facts(file.path(), file.mode(), file.modifiedMicros());
    }

    static FileFacts facts(String path, int mode, long modifiedMicros) {
        return new FileFacts(path, mode, OWNER, OWNER, modifiedMicros);
    }

    private static boolean isHeld(StreamedFile file) {
        return file.path().equals(LABEL)
                || file.path().equals(TABLESPACE_MAP)
                || file.path().equals(ControlFile.PATH);
    }

    private void hold(BaseBackupArchive tar, StreamedFile file, CRC32C crc) {
        if (file.sizeBytes() > HELD_MOST) {
            throw new MainstayException(
                    ErrorCode.SERVER_PROTOCOL,
                    file.path() + " of the base backup has " + file.sizeBytes() + " bytes");
        }
        byte[] bytes = new byte[(int) file.sizeBytes()];
        tar.read(bytes, 0, bytes.length);
        crc.update(bytes);
        held.put(file.path(), bytes);
        if (file.path().equals(ControlFile.PATH)) {
            control = Optional.of(file);
        }
    }

    private void relation(BaseBackupArchive tar, StreamedFile file, CRC32C crc) {
        int pages = Math.toIntExact(file.sizeBytes() / layout.blockSize());
        int parts = Math.max(1, Math.ceilDiv(pages, slicePages));
        StreamedPages.Relation relation =
                new StreamedPages.Relation(
                        facts(file),
                        pages,
                        parts,
                        file.relation().orElseThrow().firstBlock((int) layout.segmentPages()),
                        Optional.empty());
        for (int part = 0; part < parts; part++) {
            int from = part * slicePages;
            int end = Math.min(pages, from + slicePages);
            PageRelay.Part slice = relay.begin(new StreamedPages.Slice(relation, from, end));
            send(tar, slice, end - from, crc);
        }
        // A last page that is not whole was just being added: it comes from WAL.
        passOver(tar, file.sizeBytes() % layout.blockSize(), crc);
    }

    private void send(BaseBackupArchive tar, PageRelay.Part slice, int pages, CRC32C crc) {
        for (int sent = 0; sent < pages; sent += runPages) {
            slice.send(run(tar, Math.min(runPages, pages - sent), crc));
        }
        slice.end();
    }

    /// A relation file of which the server sends only what changed.
    private void changedPages(BaseBackupArchive tar, StreamedFile file, CRC32C crc) {
        IncrementalPages only =
                IncrementalPages.read(
                        file,
                        (into, offset, length) -> {
                            int got = tar.read(into, offset, length);
                            crc.update(into, offset, got);
                            progress.advance(got);
                            return got;
                        },
                        layout,
                        relation ->
                                known.orElseThrow().logged(relation, (int) layout.segmentPages()));
        int pages = only.pages();
        int parts = Math.max(1, Math.ceilDiv(pages, slicePages));
        StreamedPages.Relation relation =
                new StreamedPages.Relation(
                        facts(file),
                        pages,
                        parts,
                        file.relation().orElseThrow().firstBlock((int) layout.segmentPages()),
                        Optional.of(only));
        for (int part = 0; part < parts; part++) {
            int from = part * slicePages;
            int end = Math.min(pages, from + slicePages);
            PageRelay.Part slice = relay.begin(new StreamedPages.Slice(relation, from, end));
            send(tar, slice, only.count(from, end), crc);
        }
    }

    private PageRelay.Run run(BaseBackupArchive tar, int pages, CRC32C crc) {
        byte[] buffer = relay.buffer();
        int length = tar.read(buffer, 0, pages * layout.blockSize());
        crc.update(buffer, 0, length);
        progress.advance(length);
        return new PageRelay.Run(buffer, pages);
    }

    private void other(BaseBackupArchive tar, StreamedFile file, CRC32C crc) {
        try (Checked content = new Checked(tar, crc)) {
            writer.file(facts(file), content);
        } catch (IOException failed) {
            throw new IllegalStateException("an archive fails with its own errors", failed);
        }
        progress.advance(file.sizeBytes());
    }

    private void passOver(BaseBackupArchive tar, StreamedFile file, CRC32C crc) {
        passOver(tar, file.sizeBytes(), crc);
        progress.advance(file.sizeBytes());
    }

    private static void passOver(BaseBackupArchive tar, long bytes, CRC32C crc) {
        byte[] passed = new byte[(int) Math.min(bytes, 1 << 16)];
        for (long left = bytes; left > 0; ) {
            int got = tar.read(passed, 0, (int) Math.min(left, passed.length));
            crc.update(passed, 0, got);
            left -= got;
        }
    }

    /// The content of `backup_label`, as that of a backup that is complete in itself: no server
    /// starts on what says that it is incremental.
    String label() {
        return sentLabel().replaceAll("(?m)^INCREMENTAL FROM (?:LSN|TLI): .*\\R", "");
    }

    /// The content of `backup_label` as it came.
    String sentLabel() {
        return text(LABEL)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.SERVER_PROTOCOL,
                                        "the base backup came without its " + LABEL));
    }

    /// The content of `tablespace_map`; empty without tablespaces.
    String tablespaceMap() {
        return text(TABLESPACE_MAP).orElse("");
    }

    private Optional<String> text(String path) {
        return Optional.ofNullable(held.get(path))
                .map(bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    /// The control file as it came.
    ///
    /// @throws MainstayException BACKUP_CONTROL_FILE if it is damaged: the server was writing it
    ControlFile control() {
        return ControlFile.parse(controlBytes());
    }

    private byte[] controlBytes() {
        byte[] bytes = held.get(ControlFile.PATH);
        if (bytes == null) {
            throw new MainstayException(
                    ErrorCode.SERVER_PROTOCOL, "the base backup came without its control file");
        }
        return bytes;
    }

    /// Puts the control file into the backup: as the last file of all.
    void storeControlFile() {
        store(writer, facts(control.orElseThrow()), controlBytes());
    }

    static void store(BackupWriter writer, FileFacts facts, byte[] content) {
        try {
            writer.file(facts, new ByteArrayInputStream(content));
        } catch (IOException failed) {
            throw new IllegalStateException("memory can be read", failed);
        }
    }

    /// The current file of an archive, with its checksum.
    private static final class Checked extends InputStream {
        private final BaseBackupArchive tar;
        private final CRC32C crc;

        Checked(BaseBackupArchive tar, CRC32C crc) {
            this.tar = tar;
            this.crc = crc;
        }

        @Override
        public int read() {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) {
            if (length == 0) {
                return 0;
            }
            int got = tar.read(into, offset, length);
            crc.update(into, offset, got);
            return got == 0 ? -1 : got;
        }
    }
}
