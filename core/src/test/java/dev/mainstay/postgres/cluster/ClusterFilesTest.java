package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

class ClusterFilesTest {
    private static final String VERSION = "PG_15_202209061";

    @TempDir Path root;

    private Path data() {
        return root.resolve("data");
    }

    private void file(String path) throws IOException {
        Path file = data().resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, path);
    }

    private Map<String, ClusterFile> scan() {
        Map<String, ClusterFile> result = new TreeMap<>();
        ClusterFiles.of(data(), VERSION)
                .scan(f -> assertThat(result.put(f.path(), f)).as(f.path()).isNull());
        return result;
    }

    private static ClusterFile at(Map<String, ClusterFile> found, String path) {
        return Objects.requireNonNull(found.get(path), path);
    }

    @Test
    void leavesOutWhatNoBaseBackupContains() throws IOException {
        for (String directory :
                "pg_dynshmem pg_notify pg_replslot pg_serial pg_snapshots pg_stat_tmp pg_subtrans"
                        .split(" ", -1)) {
            file(directory + "/content/0000");
        }
        for (String name :
                ("postmaster.pid postmaster.opts postgresql.auto.conf.tmp current_logfiles.tmp"
                                + " backup_label backup_label.old tablespace_map tablespace_map.old"
                                + " backup_manifest global/pg_internal.init"
                                + " base/5/pg_internal.init.123 base/pgsql_tmp/pgsql_tmp12.0"
                                + " base/5/t3_16400 base/5/t3_16400_vm.1 base/5/t12_1_fsm"
                                + " global/pg_control")
                        .split(" ", -1)) {
            file(name);
        }
        file("base/5/PG_VERSION");
        file("pg_wal/000000010000000000000001");
        file("pg_wal/archive_status/000000010000000000000001.ready");
        file("pg_wal/summaries/x.summary");
        file("postgresql.auto.conf");
        assertThat(scan().keySet())
                .containsExactly(
                        "",
                        "base",
                        "base/5",
                        "base/5/PG_VERSION",
                        "global",
                        "pg_dynshmem",
                        "pg_notify",
                        "pg_replslot",
                        "pg_serial",
                        "pg_snapshots",
                        "pg_stat_tmp",
                        "pg_subtrans",
                        "pg_wal",
                        "pg_wal/archive_status",
                        "pg_wal/summaries",
                        "postgresql.auto.conf");
    }

    @Test
    void keepsOnlyTheInitForkOfUnloggedRelations() throws IOException {
        for (String name :
                "16384 16384.1 16384_vm 16384_fsm 16384_init 16385 16385_vm".split(" ", -1)) {
            file("base/5/" + name);
        }
        assertThat(scan().keySet())
                .containsExactly(
                        "",
                        "base",
                        "base/5",
                        "base/5/16384_init",
                        "base/5/16385",
                        "base/5/16385_vm");
    }

    @Test
    void tellsRelationsAndSlrusFromOtherFiles() throws IOException {
        file("base/5/16385.2");
        file("base/5/pg_filenode.map");
        file("base/16390");
        file("global/1262_vm");
        file("pg_xact/0000");
        file("pg_xact/notes");
        file("pg_multixact/offsets/00FF");
        Map<String, ClusterFile> found = scan();
        assertThat(at(found, "base/5/16385.2").relation())
                .contains(new RelationFile(1663, 5, 16385, RelationFile.Fork.MAIN, 2));
        assertThat(at(found, "global/1262_vm").relation())
                .contains(new RelationFile(1664, 0, 1262, RelationFile.Fork.VM, 0));
        for (String other : "base/5/pg_filenode.map base/16390 pg_xact/notes".split(" ", -1)) {
            assertThat(at(found, other).kind()).as(other).isEqualTo(new ClusterFile.Other());
        }
        for (String slru : "pg_xact/0000 pg_multixact/offsets/00FF".split(" ", -1)) {
            assertThat(at(found, slru).kind()).as(slru).isEqualTo(new ClusterFile.Slru());
        }
    }

    @Test
    void followsTablespacesIntoTheDirectoryOfThisVersionOnly() throws IOException {
        Path outside = root.resolve("space");
        for (String name : new String[] {VERSION + "/5/16400", "PG_14_202107181/5/16400"}) {
            Files.createDirectories(outside.resolve(name).getParent());
            Files.writeString(outside.resolve(name), "page");
        }
        Files.createDirectories(data().resolve("pg_tblspc"));
        Files.createSymbolicLink(data().resolve("pg_tblspc/16390"), outside);
        file("pg_tblspc/16391/" + VERSION + "/5/16401_fsm");
        file("pg_tblspc/16391/stray");
        Map<String, ClusterFile> found = scan();
        String linked = "pg_tblspc/16390/" + VERSION;
        String inPlace = "pg_tblspc/16391/" + VERSION;
        assertThat(found.keySet())
                .containsExactly(
                        "",
                        "pg_tblspc",
                        "pg_tblspc/16390",
                        linked,
                        linked + "/5",
                        linked + "/5/16400",
                        "pg_tblspc/16391",
                        inPlace,
                        inPlace + "/5",
                        inPlace + "/5/16401_fsm");
        assertThat(at(found, "pg_tblspc/16390").kind())
                .isEqualTo(new ClusterFile.Link(outside.toString()));
        assertThat(at(found, "pg_tblspc/16391").kind()).isEqualTo(new ClusterFile.Directory());
        ClusterFile page = at(found, linked + "/5/16400");
        assertThat(page.relation())
                .contains(new RelationFile(16390, 5, 16400, RelationFile.Fork.MAIN, 0));
        assertThat(page.source()).isAbsolute().hasContent("page");
    }

    @Test
    void recordsALinkedWalDirectoryAndLeavesTheLogOut() throws IOException {
        Path wal = root.resolve("wal");
        Files.createDirectories(wal.resolve("archive_status"));
        Files.writeString(wal.resolve("000000010000000000000001"), "");
        Files.createDirectories(data());
        Files.createSymbolicLink(data().resolve("pg_wal"), wal);
        Map<String, ClusterFile> found = scan();
        assertThat(found.keySet()).containsExactly("", "pg_wal", "pg_wal/archive_status");
        assertThat(at(found, "pg_wal").kind()).isEqualTo(new ClusterFile.Link(wal.toString()));
        assertThat(at(found, "pg_wal").linkTarget()).contains(wal.toString());
    }

    @Test
    void followsOtherLinksAndRecordsWhatTheySay() throws IOException {
        Files.createDirectories(root.resolve("log"));
        Files.writeString(root.resolve("log/today"), "line");
        Files.createDirectories(data());
        Files.createSymbolicLink(data().resolve("log"), Path.of("../log"));
        Files.createSymbolicLink(data().resolve("latest"), Path.of("../log/today"));
        Files.createSymbolicLink(data().resolve("gone"), Path.of("nowhere"));
        Map<String, ClusterFile> found = scan();
        assertThat(found.keySet()).containsExactly("", "gone", "latest", "log", "log/today");
        assertThat(at(found, "log").kind()).isEqualTo(new ClusterFile.Link("../log"));
        assertThat(at(found, "gone").kind()).isEqualTo(new ClusterFile.Link("nowhere"));
        assertThat(at(found, "latest").kind()).isEqualTo(new ClusterFile.Other());
        assertThat(at(found, "latest").linkTarget()).contains("../log/today");
        assertThat(at(found, "latest").sizeBytes()).isEqualTo(4);
    }

    @Test
    void refusesALinkToADirectoryThatContainsIt() throws IOException {
        Files.createDirectories(data().resolve("sub"));
        Files.createSymbolicLink(data().resolve("sub/up"), data());
        assertThatThrownBy(this::scan)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.BACKUP_LINK_LOOP))
                .hasMessageContaining("sub/up");
    }

    @Test
    void reportsModeTimeSizeAndOwner() throws IOException {
        file("PG_VERSION");
        Path file = data().resolve("PG_VERSION");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        Instant time = Instant.parse("2026-01-02T03:04:05.678901Z");
        Files.setLastModifiedTime(file, FileTime.from(time));
        ClusterFile found = at(scan(), "PG_VERSION");
        assertThat(found.mode()).isEqualTo(0640);
        assertThat(found.modifiedMicros())
                .isEqualTo(time.getEpochSecond() * 1_000_000 + time.getNano() / 1000);
        assertThat(found.sizeBytes()).isEqualTo(10);
        assertThat(found.owner()).isEqualTo(Files.getOwner(file).getName());
        assertThat(at(scan(), "").sizeBytes()).isZero();
    }

    @Test
    void passesOverWhatVanishesDuringTheScan() throws IOException {
        for (int i = 0; i < 50; i++) {
            file("base/" + i + "/1");
        }
        int[] seen = {0};
        ClusterFiles.of(data(), VERSION)
                .scan(
                        f -> {
                            if (f.isFile() && seen[0]++ == 0) {
                                deleteAllBut(f);
                            }
                        });
        assertThat(seen[0]).isEqualTo(1);
    }

    private void deleteAllBut(ClusterFile kept) {
        try {
            for (int i = 0; i < 50; i++) {
                String directory = "base/" + i;
                if (!kept.path().startsWith(directory + "/")) {
                    Files.deleteIfExists(data().resolve(directory + "/1"));
                    Files.deleteIfExists(data().resolve(directory));
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
