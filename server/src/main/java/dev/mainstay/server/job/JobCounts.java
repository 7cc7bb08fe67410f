package dev.mainstay.server.job;

import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Instant;
import java.util.List;

/// How many jobs there are of which kind, for those who want an overview.
public final class JobCounts {
    private final JdbcClient jdbc;

    public JobCounts(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /// @param target the source or copy; empty for the whole repository
    public record Count(JobKind kind, String target, JobState state, long jobs) {}

    /// Those that ended since, and those that have not ended.
    public List<Count> since(Instant since) {
        return jdbc.sql(
                        """
                        select kind, target, state, count(*) as jobs from job
                        where state in ('queued', 'running') or ended_at >= :since
                        group by kind, target, state order by kind, target, state
                        """)
                .param("since", SqlTime.of(since))
                .query(
                        (row, _) ->
                                new Count(
                                        JobKind.parse(row.getString("kind")),
                                        row.getString("target"),
                                        JobState.parse(row.getString("state")),
                                        row.getLong("jobs")))
                .list();
    }
}
