package dev.mainstay.server.schedule;

import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Schedules in the database: the next time of each, and what became of the earlier ones.
public final class ScheduleTable {
    private final JdbcClient jdbc;

    public ScheduleTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /// @param definition what its times were computed from
    /// @param next the first time that nothing was decided about
    record Row(String definition, Instant next) {}

    /// All rows by their keys, held by nobody.
    Map<String, Row> rows() {
        Map<String, Row> rows = new HashMap<>();
        jdbc.sql("select name, definition, next_at from schedule")
                .query(
                        row -> {
                            rows.put(
                                    row.getString(1),
                                    new Row(
                                            row.getString(2),
                                            SqlTime.read(row, "next_at")));
                        });
        return rows;
    }

    /// The row of a schedule, held until the transaction ends.
    Optional<Row> hold(String key) {
        return jdbc.sql("select definition, next_at from schedule where name = :key for update")
                .param("key", key)
                .query((row, _) -> new Row(row.getString(1), SqlTime.read(row, "next_at")))
                .optional();
    }

    void insert(String key, String definition, Instant next) {
        jdbc.sql("insert into schedule (name, definition, next_at) values (:key, :definition, :next)")
                .param("key", key)
                .param("definition", definition)
                .param("next", SqlTime.of(next))
                .update();
    }

    void update(String key, String definition, Instant next) {
        jdbc.sql("update schedule set definition = :definition, next_at = :next where name = :key")
                .param("definition", definition)
                .param("next", SqlTime.of(next))
                .param("key", key)
                .update();
    }

    void record(Occurrence occurrence) {
        jdbc.sql(
                        """
                        insert into occurrence (schedule, at, outcome, job)
                        values (:schedule, :at, :outcome, :job)
                        """)
                .param("schedule", occurrence.schedule())
                .param("at", SqlTime.of(occurrence.time()))
                .param("outcome", occurrence.outcome().name().toLowerCase(Locale.ROOT))
                .param("job", occurrence.job().orElse(null))
                .update();
    }

    /// Whether a job that this schedule started has not ended.
    boolean isUnderWay(String key) {
        return jdbc.sql(
                                """
                                select count(*) from job
                                where state in ('queued', 'running') and requested_by = :by
                                """)
                        .param("by", Schedule.asks(key))
                        .query(Long.class)
                        .single()
                > 0;
    }

    /// Whether a backup of a source has not ended, whoever wants it.
    boolean isBackedUp(String source) {
        return jdbc.sql(
                                """
                                select count(*) from job
                                where state in ('queued', 'running') and kind = 'backup' and target = :source
                                """)
                        .param("source", source)
                        .query(Long.class)
                        .single()
                > 0;
    }

    /// When the last job ended that backed a source up.
    Optional<Instant> lastBackup(String source) {
        return jdbc.sql(
                        """
                        select ended_at from job
                        where kind = 'backup' and target = :source and state = 'done'
                        order by ended_at desc fetch first 1 row only
                        """)
                .param("source", source)
                .query((row, _) -> SqlTime.read(row, "ended_at"))
                .optional();
    }

    /// The newest first.
    public List<Occurrence> occurrences(String key, int limit) {
        return jdbc.sql(
                        """
                        select schedule, at, outcome, job from occurrence
                        where schedule = :key order by at desc fetch first :limit rows only
                        """)
                .param("key", key)
                .param("limit", limit)
                .query(
                        (row, _) ->
                                new Occurrence(
                                        row.getString(1),
                                        SqlTime.read(row, "at"),
                                        Occurrence.Outcome.valueOf(
                                                row.getString(3).toUpperCase(Locale.ROOT)),
                                        Optional.ofNullable(row.getString(4))))
                .list();
    }

    /// The next time of a schedule, once it has one.
    public Optional<Instant> next(String key) {
        return jdbc.sql("select next_at from schedule where name = :key")
                .param("key", key)
                .query((row, _) -> SqlTime.read(row, "next_at"))
                .optional();
    }
}
