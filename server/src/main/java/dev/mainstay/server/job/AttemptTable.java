package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;
import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The tries at jobs in the database; written in the transactions that change the jobs.
final class AttemptTable {
    private final JdbcClient jdbc;

    AttemptTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /// The next one of a job.
    void begin(String job, String server, Instant now) {
        jdbc.sql(
                        """
                        insert into job_attempt (job, number, server, state, started_at, backups)
                        select id, attempts, cast(:server as varchar), 'running',
                          cast(:now as timestamp with time zone), '' from job where id = :job
                        """)
                .param("server", server)
                .param("now", SqlTime.of(now))
                .param("job", job)
                .update();
    }

    /// The one that has not ended, if there is one: a job that waits is ended without.
    void end(
            String job,
            JobState state,
            Optional<JobFailure> failure,
            List<BackupId> backups,
            Instant now) {
        jdbc.sql(
                        """
                        update job_attempt set state = :state, ended_at = :now, error = :error,
                          message = :message, hint = :hint, backups = :backups
                        where job = :job and ended_at is null
                        """)
                .param("state", state.word())
                .param("now", SqlTime.of(now))
                .param("error", failure.map(JobFailure::error).orElse(null))
                .param("message", failure.map(JobFailure::message).orElse(null))
                .param("hint", failure.map(JobFailure::hint).orElse(null))
                .param(
                        "backups",
                        backups.stream().map(BackupId::text).collect(Collectors.joining(" ")))
                .param("job", job)
                .update();
    }

    /// The first one first.
    List<JobAttempt> of(String job) {
        return jdbc.sql("select * from job_attempt where job = :job order by number")
                .param("job", job)
                .query(
                        (row, _) ->
                                new JobAttempt(
                                        row.getInt("number"),
                                        row.getString("server"),
                                        JobState.parse(row.getString("state")),
                                        SqlTime.read(row, "started_at"),
                                        SqlTime.readIfThere(row, "ended_at"),
                                        JobRow.failure(row),
                                        ids(row.getString("backups"))))
                .list();
    }

    private static List<BackupId> ids(String text) {
        return Arrays.stream(text.split(" ", -1))
                .filter(each -> !each.isEmpty())
                .map(BackupId::parse)
                .toList();
    }
}
