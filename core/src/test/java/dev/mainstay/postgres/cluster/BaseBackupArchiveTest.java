package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.junit.jupiter.api.Test;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

class BaseBackupArchiveTest {
    private static final int END_BYTES = 1024;

    private interface Filling {
        void fill(TarArchiveOutputStream tar) throws IOException;
    }

    private static byte[] tar(Filling filling) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, 512)) {
            filling.fill(tar);
        } catch (IOException failed) {
            throw new AssertionError(failed);
        }
        return bytes.toByteArray();
    }

    private static void file(TarArchiveOutputStream tar, String name, byte[] content)
            throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        entry.setMode(0100640);
        entry.setModTime(1_700_000_000_000L);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static void entry(TarArchiveOutputStream tar, TarArchiveEntry entry)
            throws IOException {
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
    }

    private static List<StreamedFile> read(byte[] tar) {
        BaseBackupArchive archive =
                BaseBackupArchive.of(Optional.empty(), new ByteArrayInputStream(tar));
        List<StreamedFile> files = new ArrayList<>();
        byte[] into = new byte[777];
        for (Optional<StreamedFile> next = archive.next();
                next.isPresent();
                next = archive.next()) {
            files.add(next.get());
            long size = 0;
            for (int got = archive.read(into, 0, into.length);
                    got > 0;
                    got = archive.read(into, 0, into.length)) {
                size += got;
            }
            assertThat(size).isEqualTo(next.get().sizeBytes());
        }
        return files;
    }

    private static byte[] sample() {
        byte[] pages = new byte[3 * 8192];
        new Random(1).nextBytes(pages);
        return tar(
                tar -> {
                    file(tar, "backup_label", new byte[200]);
                    entry(tar, new TarArchiveEntry("./base/"));
                    file(tar, "base/5/16384.1", pages);
                    file(tar, "base/5/16384_vm", new byte[8192]);
                    file(tar, "base/5/pg_filenode.map", new byte[512]);
                    file(tar, "pg_xact/0000", new byte[8192]);
                    file(tar, "postgresql.conf", new byte[0]);
                });
    }

    /// A file of such a name in a whole backup is not the server's.
    @Test
    void changedPagesAreOnlyTakenForThatWhereTheyMayCome() {
        byte[] tar =
                tar(
                        out -> {
                            file(out, "PG_18_1/5/INCREMENTAL.16384.1", new byte[12]);
                            file(out, "PG_18_1/5/INCREMENTAL.pg_filenode.map", new byte[9]);
                            file(out, "INCREMENTAL.16384", new byte[9]);
                        });
        Optional<String> space = Optional.of("16400");
        BaseBackupArchive whole = BaseBackupArchive.of(space, new ByteArrayInputStream(tar));
        assertThat(whole.next().orElseThrow().relation()).isEmpty();

        BaseBackupArchive some = BaseBackupArchive.of(space, new ByteArrayInputStream(tar), true);
        StreamedFile relation = some.next().orElseThrow();
        assertThat(relation.incremental()).isTrue();
        assertThat(relation.path()).isEqualTo("pg_tblspc/16400/PG_18_1/5/16384.1");
        assertThat(relation.sentAs()).isEqualTo("pg_tblspc/16400/PG_18_1/5/INCREMENTAL.16384.1");
        assertThat(relation.relation().orElseThrow().segment()).isEqualTo(1);
        for (int i = 0; i < 2; i++) {
            StreamedFile other = some.next().orElseThrow();
            assertThat(other.incremental()).isFalse();
            assertThat(other.sentAs()).isEqualTo(other.path()).contains("INCREMENTAL.");
            assertThat(other.relation()).isEmpty();
        }
    }

    @Test
    void filesComeWithKindAndFacts() {
        List<StreamedFile> files = read(sample());
        assertThat(files)
                .extracting(StreamedFile::path)
                .containsExactly(
                        "backup_label",
                        "base",
                        "base/5/16384.1",
                        "base/5/16384_vm",
                        "base/5/pg_filenode.map",
                        "pg_xact/0000",
                        "postgresql.conf");
        assertThat(files)
                .extracting(file -> file.kind().getClass().getSimpleName())
                .containsExactly(
                        "Other", "Directory", "Relation", "Relation", "Other", "Slru", "Other");
        StreamedFile relation = files.get(2);
        assertThat(relation.mode()).isEqualTo(0640);
        assertThat(relation.modifiedMicros()).isEqualTo(1_700_000_000_000_000L);
        assertThat(relation.relation().orElseThrow().segment()).isEqualTo(1);
        assertThat(files.getFirst().isKept()).isFalse();
        assertThat(relation.isKept()).isTrue();
    }

    @Test
    void filesOfATablespaceStandBelowItsLink() {
        byte[] tar = tar(each -> file(each, "PG_17_202406281/5/16400", new byte[8192]));
        BaseBackupArchive archive =
                BaseBackupArchive.of(Optional.of("16390"), new ByteArrayInputStream(tar));
        StreamedFile file = archive.next().orElseThrow();
        assertThat(file.path()).isEqualTo("pg_tblspc/16390/PG_17_202406281/5/16400");
        assertThat(file.relation().orElseThrow().tablespaceOid()).isEqualTo(16390);
        assertThat(archive.next()).isEmpty(); // its content is passed over
    }

    /// A server before 15 sends no end, one that ends within a file or a header is refused.
    @Test
    void anArchiveCutAnywhereIsRefusedUnlessAFileEndsThere() {
        byte[] whole = sample();
        List<StreamedFile> all = read(whole);
        int end = whole.length - END_BYTES;
        assertThat(read(Arrays.copyOf(whole, end))).isEqualTo(all);
        for (int length = 1; length < end; length += 97) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> read(part))
                    .as("cut after %d bytes", length)
                    .isInstanceOfSatisfying(
                            MainstayException.class,
                            cut -> assertThat(cut.code()).isEqualTo(ErrorCode.SERVER_PROTOCOL));
        }
    }

    @Test
    void whatNoServerSendsIsRefused() {
        TarArchiveEntry sparse = new TarArchiveEntry("sparse", TarArchiveEntry.LF_GNUTYPE_SPARSE);
        TarArchiveEntry link = new TarArchiveEntry("link", TarArchiveEntry.LF_SYMLINK);
        link.setLinkName("/etc/passwd");
        TarArchiveEntry hard = new TarArchiveEntry("hard", TarArchiveEntry.LF_LINK);
        hard.setLinkName("other");
        for (TarArchiveEntry odd :
                List.of(
                        sparse,
                        link,
                        hard,
                        new TarArchiveEntry("device", TarArchiveEntry.LF_BLK),
                        new TarArchiveEntry("pipe", TarArchiveEntry.LF_FIFO))) {
            refused(tar(tar -> entry(tar, odd)), "an entry of type");
        }
        for (String name : List.of("../up", "base/../../up", "a//b", "a/./x", "base/.")) {
            refused(tar(tar -> file(tar, name, new byte[1])), "the name");
        }
        byte[] changed = sample();
        changed[3] ^= 1;
        refused(changed, "a header with a wrong checksum");
        byte[] more = Arrays.copyOf(sample(), sample().length + 512);
        more[more.length - 1] = 1;
        refused(more, "something follows its end");
    }

    private static void refused(byte[] tar, String why) {
        assertThatThrownBy(() -> read(tar))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        odd -> assertThat(odd.code()).isEqualTo(ErrorCode.SERVER_PROTOCOL))
                .hasMessageContaining(why);
    }
}
