package dev.mainstay.engine.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.SystemId;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.archive.WalPush;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.wal.ChangedBlocks;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ProtectedSource;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.WalArchive;
import dev.mainstay.storage.local.LocalStore;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;
import dev.mainstay.testkit.Versions;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Where replay begins in the middle of a segment, as that of a backup does while others write.
class ChangeSearchTest {
    private static final int SEGMENT_BYTES = 1 << 20;
    private static final int RELATION_BLOCKS = 131_072;

    @TempDir private Path folder = Path.of("");

    private static Lsn checkpoint(TestCluster cluster) {
        cluster.sql("CHECKPOINT");
        return Lsn.parse(cluster.value("SELECT redo_lsn FROM pg_control_checkpoint()"));
    }

    private static RelationFile file(TestCluster cluster, String table) {
        return RelationFile.at(cluster.value("SELECT pg_relation_filepath('" + table + "')"))
                .orElseThrow();
    }

    private WalArchive archive(TestCluster cluster) throws IOException {
        Repository repository =
                Repository.create(
                        LocalStore.create(folder.resolve("store")),
                        Optional.empty(),
                        Ground.ofThisHost());
        ProtectedSource source = repository.sourceOrAdd("orders");
        WalPush push = new WalPush(source, 1);
        cluster.sql("SELECT pg_switch_wal()");
        String current = cluster.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())");
        try (Stream<Path> files = Files.list(cluster.dataDirectory().resolve("pg_wal"))) {
            List<Path> finished =
                    files.filter(each -> each.getFileName().toString().matches("[0-9A-F]{24}"))
                            .filter(each -> each.getFileName().toString().compareTo(current) < 0)
                            .sorted()
                            .toList();
            finished.forEach(each -> push.push(each, cluster.dataDirectory()));
        }
        return source.wal(
                SystemId.parse(cluster.value("SELECT system_identifier FROM pg_control_system()")),
                1);
    }

    private static ChangedBlocks found(ChangeSearch search, Lsn from, Lsn to) {
        ChangeSearch.Found found =
                search.find(
                        new ChangeSearch.Earlier(TimelineId.of(1), from, from),
                        TimelineId.of(1),
                        to);
        assertThat(found).isInstanceOf(ChangeSearch.Found.Known.class);
        return ((ChangeSearch.Found.Known) found).blocks();
    }

    private static LoggedPages logged(ChangedBlocks blocks, RelationFile file) {
        return Changes.of(blocks, file, RELATION_BLOCKS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SELECT 1", "SELECT pg_switch_wal()"})
    void whatWasMadeBeforeInTheSameSegmentIsNewForFilesAndOldForAServer(String between)
            throws IOException {
        try (TestCluster cluster =
                TestCluster.create(
                        Versions.NEWEST,
                        ClusterOptions.standard()
                                .withWalSegmentMib(1)
                                .with("wal_keep_size", "256MB")
                                .with("autovacuum", "off"))) {
            cluster.sql("SELECT pg_switch_wal()", "CREATE TABLE made AS SELECT 1 AS n");
            Lsn from = checkpoint(cluster);
            cluster.sql("CREATE TABLE later AS SELECT 1 AS n", between, "SELECT pg_switch_wal()");
            cluster.sql("INSERT INTO later VALUES (2)");
            Lsn to = checkpoint(cluster);
            RelationFile made = file(cluster, "made");
            RelationFile later = file(cluster, "later");
            WalArchive archive = archive(cluster);

            ChangedBlocks exact =
                    found(ChangeSearch.ofServer(archive, SEGMENT_BYTES, 8192), from, to);
            assertThat(logged(exact, made).limit()).isEqualTo(Long.MAX_VALUE);
            assertThat(logged(exact, made).named()).isEmpty();
            assertThat(logged(exact, later).limit()).isZero();

            ChangedBlocks whole =
                    found(
                            ChangeSearch.ofFiles(archive, Optional.empty(), SEGMENT_BYTES, 8192),
                            from,
                            to);
            assertThat(logged(whole, made).limit()).isZero();
            assertThat(logged(whole, later).limit()).isZero();
        }
    }

    @Test
    void bothPositionsMayLieInOneSegment() throws IOException {
        try (TestCluster cluster =
                TestCluster.create(
                        Versions.NEWEST, ClusterOptions.standard().with("autovacuum", "off"))) {
            cluster.sql("SELECT pg_switch_wal()", "CREATE TABLE made AS SELECT 1 AS n");
            Lsn from = checkpoint(cluster);
            cluster.sql("CREATE TABLE later AS SELECT 1 AS n");
            Lsn to = checkpoint(cluster);
            RelationFile made = file(cluster, "made");
            RelationFile later = file(cluster, "later");
            ChangedBlocks exact =
                    found(ChangeSearch.ofServer(archive(cluster), 16 << 20, 8192), from, to);
            assertThat(logged(exact, made).limit()).isEqualTo(Long.MAX_VALUE);
            assertThat(logged(exact, later).limit()).isZero();
        }
    }
}
