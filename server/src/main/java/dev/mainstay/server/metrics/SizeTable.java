package dev.mainstay.server.metrics;

import dev.mainstay.server.state.SqlTime;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/// How large things were, once an hour, as long as that tells of the future.
final class SizeTable {
    private static final Duration KEPT = Duration.ofDays(60);
    private static final Duration LATE = Duration.ofDays(14);

    private final JdbcClient jdbc;

    SizeTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /// Of each hour the first counts.
    void add(String what, Instant now, long bytes) {
        try {
            jdbc.sql("insert into size_sample (what, at, bytes) values (:what, :at, :bytes)")
                    .param("what", what)
                    .param("at", SqlTime.of(now.truncatedTo(ChronoUnit.HOURS)))
                    .param("bytes", bytes)
                    .update();
            jdbc.sql("delete from size_sample where at < :before")
                    .param("before", SqlTime.of(now.minus(KEPT)))
                    .update();
        } catch (DuplicateKeyException known) {
            // another server, or this one before it was started again
        }
    }

    /// Of late, in the order of time.
    List<Growth.Sample> late(String what, Instant now) {
        return jdbc.sql(
                        """
                        select at, bytes from size_sample where what = :what and at >= :since order by at
                        """)
                .param("what", what)
                .param("since", SqlTime.of(now.minus(LATE)))
                .query(
                        (row, _) ->
                                new Growth.Sample(
                                        SqlTime.read(row, "at"),
                                        row.getLong(2)))
                .list();
    }
}
