package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.postgres.cluster.BackupManifest.WalRange;
import dev.mainstay.testkit.DebianPrograms;
import dev.mainstay.testkit.ServerDirectory;
import dev.mainstay.testkit.StructureJudge;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.api.Test;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// Debian's `pg_verifybackup` judges; it knows version 1 of the format only.
class BackupManifestOnServersTest {
    private static void write(Path directory, ControlFile control) throws IOException {
        try (OutputStream file =
                        Files.newOutputStream(directory.resolve(BackupManifest.FILE_NAME));
                OutputStream out = new BufferedOutputStream(file);
                Stream<Path> all = Files.walk(directory)) {
            BackupManifest manifest =
                    BackupManifest.open(out, ServerVersion.V15, control.systemId());
            for (Path path : all.filter(Files::isRegularFile).sorted().toList()) {
                byte[] content = Files.readAllBytes(path);
                CRC32C crc = new CRC32C();
                crc.update(content);
                manifest.add(
                        directory.relativize(path).toString(),
                        content.length,
                        Files.getLastModifiedTime(path).toInstant(),
                        (int) crc.getValue());
            }
            WalRange range =
                    new WalRange(TimelineId.of(1), Lsn.parse("0/1000028"), Lsn.parse("0/1000100"));
            manifest.finish(List.of(range));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path path : all.toList()) {
                Path target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        }
    }

    private static void flip(Path file, int at) throws IOException {
        byte[] content = Files.readAllBytes(file);
        content[at] ^= 1;
        Files.write(file, content);
    }

    @Test
    void pgVerifybackupAcceptsTheCopyOfACleanClusterAndFindsOneFlippedBit() throws IOException {
        DebianPrograms.assume("pg_verifybackup");
        try (TestCluster cluster = TestCluster.create(DebianPrograms.MAJOR);
                ServerDirectory scratch = ServerDirectory.create()) {
            cluster.sql("CREATE TABLE t AS SELECT generate_series(1, 10000) AS i", "CHECKPOINT");
            String table = cluster.value("SELECT pg_relation_filepath('t')");
            cluster.stop();
            Path copy = scratch.directory("copy");
            copy(cluster.dataDirectory(), copy);
            Files.writeString(copy.resolve("a \"strange\\name\" ü 😀\n"), "text");
            write(copy, ControlFile.read(copy, _ -> {}));
            ServerUser.giveToUnprivileged(copy);
            assertThat(StructureJudge.verifyBackup(copy, "-n")).isEmpty();

            Files.writeString(copy.resolve("postgresql.auto.conf"), "# changed by a restore\n");
            Files.writeString(copy.resolve("recovery.signal"), "");
            ServerUser.giveToUnprivileged(copy);
            assertThat(StructureJudge.verifyBackup(copy, "-n")).as("allowed changes").isEmpty();

            flip(copy.resolve(table), 100);
            assertThat(StructureJudge.verifyBackup(copy, "-n"))
                    .anySatisfy(line -> assertThat(line).contains("checksum mismatch", table));
            flip(copy.resolve(table), 100);

            Path stranger = Files.writeString(copy.resolve("stranger"), "");
            ServerUser.giveToUnprivileged(copy);
            assertThat(StructureJudge.verifyBackup(copy, "-n"))
                    .anySatisfy(line -> assertThat(line).contains("\"stranger\""));
            Files.delete(stranger);

            Path manifest = copy.resolve(BackupManifest.FILE_NAME);
            String text = Files.readString(manifest, StandardCharsets.UTF_8);
            flip(manifest, text.indexOf("Last-Modified") + 20);
            assertThat(StructureJudge.verifyBackup(copy, "-n"))
                    .anySatisfy(line -> assertThat(line).contains("manifest checksum mismatch"));
        }
    }
}
