package dev.mainstay.server.metrics;

import dev.mainstay.server.state.JsonMap;
import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the state remembers of jobs, in a handful of queries.
final class JobHistory {
    private static final int RECENT = 100;

    private final JdbcClient jdbc;

    JobHistory(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    JobFacts read(Instant now, Iterable<String> sources) {
        List<JobFacts.Took> recent = new ArrayList<>();
        List<JobFacts.Took> restores = new ArrayList<>();
        sources.forEach(
                source -> {
                    recent.addAll(took("backup", source, RECENT));
                    restores.addAll(took("restore", source, 1));
                });
        return new JobFacts(
                now,
                totals(),
                newest(),
                running(),
                recent,
                restores,
                failures(now));
    }

    private Map<String, Integer> failures(Instant now) {
        Map<String, Integer> failures = new HashMap<>();
        jdbc.sql(
                        """
                        select target, count(*) from job
                        where kind = 'backup' and state in ('failed', 'interrupted') and ended_at >= :since
                        group by target
                        """)
                .param("since", SqlTime.of(now.minus(Duration.ofDays(1))))
                .query(row -> {
                    failures.put(row.getString(1), row.getInt(2));
                });
        return failures;
    }

    private List<JobFacts.Total> totals() {
        return jdbc.sql(
                        """
                        select kind, target, type, state, sum(jobs), sum(seconds) from
                          (select kind, target, type, state, count(*) as jobs,
                              coalesce(sum(extract(epoch from (ended_at - started_at))), 0) as seconds
                            from job_of_type group by kind, target, type, state
                          union all select kind, target, type, state, jobs, seconds from job_past) as every
                        group by kind, target, type, state
                        """)
                .query(
                        (row, _) ->
                                new JobFacts.Total(
                                        row.getString(1),
                                        row.getString(2),
                                        row.getString(3),
                                        row.getString(4),
                                        row.getLong(5),
                                        row.getDouble(6)))
                .list();
    }

    private List<JobFacts.Ended> newest() {
        return jdbc.sql(
                        """
                        select id, kind, target, state, error, message, ended_at from job
                        where id in (select max(id) from job where ended_at is not null
                          group by kind, target, state)
                        """)
                .query(
                        (row, _) ->
                                new JobFacts.Ended(
                                        row.getString(1),
                                        row.getString(2),
                                        row.getString(3),
                                        row.getString(4),
                                        Optional.ofNullable(row.getString(5)).orElse(""),
                                        Optional.ofNullable(row.getString(6)).orElse(""),
                                        SqlTime.read(row, "ended_at")))
                .list();
    }

    private List<JobFacts.Running> running() {
        return jdbc.sql(
                        """
                        select id, kind, target, created_at, started_at from job
                        where state in ('queued', 'running') order by id
                        """)
                .query(
                        (row, _) ->
                                new JobFacts.Running(
                                        row.getString(1),
                                        row.getString(2),
                                        row.getString(3),
                                        SqlTime.read(row, "created_at"),
                                        SqlTime.readIfThere(row, "started_at")))
                .list();
    }

    /// The newest first.
    private List<JobFacts.Took> took(String kind, String target, int limit) {
        return jdbc.sql(
                        """
                        select target, result, started_at, ended_at from job
                        where target = :target and kind = :kind and state = 'done' and started_at is not null
                        order by target desc, id desc fetch first :limit rows only
                        """)
                .param("kind", kind)
                .param("target", target)
                .param("limit", limit)
                .query(
                        (row, _) -> {
                            Instant ended = SqlTime.read(row, "ended_at");
                            return new JobFacts.Took(
                                    row.getString(1),
                                    JsonMap.read(row.getString(2)).getOrDefault("type", ""),
                                    ended,
                                    Duration.between(
                                            SqlTime.read(row, "started_at"), ended));
                        })
                .list();
    }
}
