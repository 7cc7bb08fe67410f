package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

final class ControlFileOnServersTest {
    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void the_control_file_says_what_the_server_says(int major) {
        ClusterOptions options =
                ClusterOptions.standard()
                        .withWalSegmentMib(4)
                        .with("max_prepared_transactions", "3")
                        .with("wal_log_hints", "on");
        try (TestCluster cluster = TestCluster.create(major, options)) {
            cluster.sql("SELECT pg_switch_wal()", "CHECKPOINT");
            ControlFile file = ControlFile.read(cluster.dataDirectory(), _ -> {});
            ServerVersion version = ServerVersion.ofDataDirectory(cluster.dataDirectory());
            assertThat(version.major()).isEqualTo(major);
            assertThat(file.controlVersion()).isEqualTo(version.controlVersion());
            assertThat(
                            row(
                                    cluster,
                                    "pg_control_version, catalog_version_no, system_identifier"
                                            + " FROM pg_control_system()"))
                    .isEqualTo(
                            file.controlVersion()
                                    + " "
                                    + file.catalogVersion()
                                    + " "
                                    + file.systemId());
            ControlFile.Checkpoint checkpoint = file.checkpoint();
            assertThat(
                            row(
                                    cluster,
                                    "checkpoint_lsn, redo_lsn, timeline_id, prev_timeline_id,"
                                            + " full_page_writes, next_xid,"
                                            + " extract(epoch FROM checkpoint_time)::bigint"
                                            + " FROM pg_control_checkpoint()"))
                    .isEqualTo(
                            String.join(
                                    " ",
                                    checkpoint.lsn().toString(),
                                    checkpoint.redo().toString(),
                                    checkpoint.timeline().toString(),
                                    checkpoint.previousTimeline().toString(),
                                    checkpoint.fullPageWrites() ? "t" : "f",
                                    (checkpoint.nextFullXid() >>> 32) + ":" + checkpoint.nextXid(),
                                    Long.toString(checkpoint.time().getEpochSecond())));
            ControlFile.Layout layout = file.layout();
            assertThat(
                            row(
                                    cluster,
                                    "max_data_alignment, database_block_size, blocks_per_segment,"
                                            + " wal_block_size, bytes_per_wal_segment,"
                                            + " data_page_checksum_version FROM pg_control_init()"))
                    .isEqualTo(
                            layout.maxAlign()
                                    + " "
                                    + layout.blockSizeBytes()
                                    + " "
                                    + layout.relationSegmentBlocks()
                                    + " "
                                    + layout.walBlockSizeBytes()
                                    + " "
                                    + layout.walSegmentSizeBytes()
                                    + " "
                                    + file.dataChecksumVersion());
            assertThat(layout.walSegmentSizeBytes()).isEqualTo(4 << 20);
            assertThat(file.state()).isEqualTo(ControlFile.State.IN_PRODUCTION);
            assertThat(file.recovery().minRecoveryPoint().isNone()).isTrue();
            assertThat(file.recovery().minRecoveryTimeline()).isEmpty();
            assertThat(file.minima())
                    .isEqualTo(
                            new ControlFile.Minima(
                                    ControlFile.WalLevel.REPLICA, true, 50, 8, 10, 3, 64, false));
            cluster.stop();
            assertThat(ControlFile.read(cluster.dataDirectory(), _ -> {}).state())
                    .isEqualTo(ControlFile.State.SHUT_DOWN);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void every_page_of_a_stopped_server_carries_its_checksum(int major) throws IOException {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE TABLE t AS SELECT g, repeat('x', g % 100) FROM generate_series(1,"
                            + " 20000) g");
            cluster.stop();
            int pages = 0;
            for (Path file : relationFiles(cluster.dataDirectory())) {
                byte[] bytes = Files.readAllBytes(file);
                for (int block = 0; block < bytes.length / 8192; block++) {
                    assertThat(PageCheck.verify(bytes, block * 8192, 8192, block))
                            .as("%s block %s", file, block)
                            .matches(PageCheck.Result::sound);
                    pages++;
                }
            }
            assertThat(pages).isGreaterThan(2000);
        }
    }

    private static List<Path> relationFiles(Path dataDirectory) throws IOException {
        try (Stream<Path> files = Files.walk(dataDirectory.resolve("base"))) {
            return files.filter(f -> String.valueOf(f.getFileName()).matches("\\d+(_(fsm|vm))?"))
                    .filter(Files::isRegularFile)
                    .toList();
        }
    }

    private static String row(TestCluster cluster, String columns) {
        int from = columns.lastIndexOf(" FROM ");
        return cluster.value(
                "SELECT concat_ws(' ', "
                        + columns.substring(0, from)
                        + ")"
                        + columns.substring(from));
    }
}
