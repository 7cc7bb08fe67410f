package dev.mainstay.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.base.WalSegment;
import dev.mainstay.engine.restore.RestoreTarget;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.List;

/// What was stored last may end in the middle of a record that is longer than a segment.
class CutOffLogTest {
    private static final int SEGMENT = 1 << 20;

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void whatStandsBeforeARecordThatIsNotWholeIsRestored(int major) {
        try (TestCluster cluster = TestCluster.create(major, RestoreSite.archiving());
                RestoreSite on = new RestoreSite(cluster)) {
            cluster.sql("CREATE TABLE t (n int)");
            on.backUp();
            cluster.sql("INSERT INTO t VALUES (1)");
            WalSegment begins =
                    WalSegment.parse(
                            cluster.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())"),
                            SEGMENT);
            cluster.sql("SELECT pg_logical_emit_message(true, 'x', repeat('y', 4000000))");
            on.store(cluster);
            List<WalSegment> lost = new ArrayList<>();
            on.wal.segments(begins.next().next().next(), lost::add);
            assertThat(lost).as("the record goes on there").isNotEmpty();
            lost.forEach(on.site::lose);
            on.serve();
            try (TestCluster restored =
                    on.wish("cut-off", new RestoreTarget.Latest()).recovered()) {
                assertThat(restored.value("SELECT n FROM t")).isEqualTo("1");
            }
        }
    }
}
