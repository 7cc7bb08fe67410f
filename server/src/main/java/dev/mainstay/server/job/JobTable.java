package dev.mainstay.server.job;

import dev.mainstay.base.BackupId;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.server.state.JsonMap;
import dev.mainstay.server.state.SqlTime;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Jobs in the database. Each change says from which state it leads, and is made only there.
public final class JobTable {
    private static final String RUNNING_HERE = "state = 'running' and server = :server";

    private final JdbcClient jdbc;
    private final TransactionOperations transactions;
    private final JobTrail trail;
    private final AttemptTable attempts;

    /// @param trail is told of each job that is queued and of each that ends
    public JobTable(JdbcClient jdbc, TransactionOperations transactions, JobTrail trail) {
        this.jdbc = jdbc;
        this.transactions = transactions;
        this.trail = trail;
        this.attempts = new AttemptTable(jdbc);
    }

    /// Whether a server may begin a job.
    enum Claim {
        CLAIMED,
        /// Another job of the same lane comes first.
        BUSY,
        /// It is tried again later.
        EARLY,
        /// It is over, or will be by who cancelled it.
        GONE,
        /// Whoever ran it does so no more, and did not say what became of it.
        LEFT
    }

    /// What a server that runs a job should do.
    enum Standing {
        GO_ON,
        CANCEL,
        /// Others gave this server up, and the job with it.
        LOST
    }

    void insert(String id, JobRequest request, Instant now) {
        jdbc.sql(
                        """
                        insert into job (id, lane, kind, target, parameters, requested_by, state, created_at,
                          cancel_requested, bytes_done, bytes_total, result)
                        values (:id, :lane, :kind, :target, :parameters, :by, 'queued', :now, false, 0, 0, '{}')
                        """)
                .param("id", id)
                .param("lane", request.lane())
                .param("kind", request.kind().word())
                .param("target", request.target())
                .param("parameters", JsonMap.write(request.parameters()))
                .param("by", request.requestedBy())
                .param("now", SqlTime.of(now))
                .update();
        trail.note(request.requestedBy(), "job queued", what(id, request), "queued");
    }

    private static String what(String id, JobRequest request) {
        return request.kind().word()
                + (request.target().isEmpty() ? "" : " " + request.target())
                + " "
                + id;
    }

    /// @throws MainstayException JOB_UNKNOWN
    public Job get(String id) {
        return jdbc.sql("select * from job where id = :id")
                .param("id", id)
                .query(JobRow::read)
                .optional()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.JOB_UNKNOWN, "there is no job " + id));
    }

    /// The newest first.
    ///
    /// @param target only these, unless it is empty
    /// @param state only these, unless it is empty
    /// @param before ids that come before this one
    public List<Job> list(
            Optional<String> target,
            Optional<JobState> state,
            Optional<String> before,
            int limit) {
        return list(target, state, before, limit, Optional.empty());
    }

    /// @param sources only jobs of these; empty: all jobs
    public List<Job> list(
            Optional<String> target,
            Optional<JobState> state,
            Optional<String> before,
            int limit,
            Optional<Set<String>> sources) {
        Optional<String> of = target.filter(each -> !each.isEmpty());
        StringBuilder sql = new StringBuilder("select * from job where true");
        before.filter(each -> !each.isEmpty()).ifPresent(_ -> sql.append(" and id < :before"));
        of.ifPresent(_ -> sql.append(" and target = :target"));
        state.ifPresent(_ -> sql.append(" and state = :state"));
        sources.ifPresent(_ -> sql.append(" and kind <> 'copy' and target in (:sources)"));
        // The order of an index, as with the audit trail.
        sql.append(" order by ")
                .append(of.isPresent() ? "target desc, " : state.isPresent() ? "state desc, " : "")
                .append("id desc fetch first :limit rows only");
        return jdbc.sql(sql.toString())
                .param("target", of.orElse(""))
                .param("state", state.map(JobState::word).orElse(""))
                .param("before", before.orElse(""))
                .param("limit", limit)
                .param("sources", sources.filter(each -> !each.isEmpty()).orElse(Set.of("/")))
                .query(JobRow::read)
                .list();
    }

    /// Lines with numbers from `from` on.
    public List<JobLine> log(String id, int from) {
        return jdbc.sql("select * from job_log where job = :id and line >= :from order by line")
                .param("id", id)
                .param("from", from)
                .query(JobRow::line)
                .list();
    }

    /// Every try at a job, the first one first.
    public List<JobAttempt> attempts(String id) {
        return attempts.of(id);
    }

    /// How many lines its log has.
    int lines(String id) {
        return jdbc.sql("select coalesce(max(line), 0) from job_log where job = :id")
                .param("id", id)
                .query(Integer.class)
                .single();
    }

    Claim claim(String id, String server, Instant now) {
        try {
            return transactions.execute(_ -> claimed(id, server, now));
        } catch (DuplicateKeyException anotherWrites) {
            return Claim.BUSY;
        }
    }

    private record Place(String lane, Instant created, Optional<Instant> due) {}

    /// Whether a job's window is; if so, it waits for that, and nobody waits for it.
    private boolean isClosed(String id, Instant now) {
        Instant opening = get(id).request().opening(now);
        if (!opening.isAfter(now)) {
            return false;
        }
        jdbc.sql("update job set due_at = :due where id = :id and state = 'queued'")
                .param("due", SqlTime.of(opening))
                .param("id", id)
                .update();
        return true;
    }

    private Claim claimed(String id, String server, Instant now) {
        Optional<Place> place =
                jdbc.sql("select lane, created_at, due_at from job where id = :id and state = 'queued'")
                        .param("id", id)
                        .query(
                                (row, _) ->
                                        new Place(
                                                row.getString("lane"),
                                                SqlTime.read(row, "created_at"),
                                                SqlTime.readIfThere(row, "due_at")))
                        .optional();
        if (place.isEmpty()) {
            return running().contains(id) ? Claim.LEFT : Claim.GONE;
        }
        if (place.get().due.filter(now::isBefore).isPresent() || isClosed(id, now)) {
            return Claim.EARLY;
        }
        // Ids of one second are in no order.
        boolean first =
                jdbc.sql(
                                        """
                                        select count(*) from job
                                        where lane = :lane and state = 'queued'
                                          and (due_at is null or due_at <= :now)
                                          and (created_at < :created or created_at = :created and id < :id)
                                        """)
                                .param("lane", place.get().lane)
                                .param("now", SqlTime.of(now))
                                .param("created", SqlTime.of(place.get().created))
                                .param("id", id)
                                .query(Long.class)
                                .single()
                        == 0;
        if (!first) {
            return Claim.BUSY;
        }
        jdbc.sql("insert into writer (lane, job) values (:lane, :id)")
                .param("lane", place.get().lane)
                .param("id", id)
                .update();
        int changed =
                jdbc.sql(
                                """
                                update job set state = 'running', server = :server, started_at = :now,
                                  attempts = attempts + 1, due_at = null
                                where id = :id and state = 'queued'
                                """)
                        .param("server", server)
                        .param("now", SqlTime.of(now))
                        .param("id", id)
                        .update();
        if (changed == 0) { // cancelled just now
            jdbc.sql("delete from writer where job = :id").param("id", id).update();
            return Claim.GONE;
        }
        attempts.begin(id, server, now);
        return Claim.CLAIMED;
    }

    Standing report(String id, String server, Optional<JobProgress> progress) {
        progress.ifPresent(
                now ->
                        jdbc.sql(
                                        """
                                        update job set step = :step, bytes_done = :done, bytes_total = :total,
                                          step_began_at = :began, seen_at = :seen
                                        where id = :id and state = 'running' and server = :server
                                        """)
                                .param("step", now.step())
                                .param("done", now.done())
                                .param("total", now.total())
                                .param("began", SqlTime.of(now.began()))
                                .param("seen", SqlTime.of(now.seen()))
                                .param("id", id)
                                .param("server", server)
                                .update());
        return jdbc.sql(
                        """
                        select cancel_requested from job
                        where id = :id and state = 'running' and server = :server
                        """)
                .param("id", id)
                .param("server", server)
                .query(Boolean.class)
                .optional()
                .map(cancel -> cancel ? Standing.CANCEL : Standing.GO_ON)
                .orElse(Standing.LOST);
    }

    void note(String id, JobLine line) {
        jdbc.sql("insert into job_log (job, line, at, text) values (:id, :line, :at, :text)")
                .param("id", id)
                .param("line", line.number())
                .param("at", SqlTime.of(line.at()))
                .param("text", line.text())
                .update();
    }

    /// The end of a job that this server runs.
    ///
    /// @return whether it was still this server's to end
    boolean end(
            String id,
            String server,
            JobState state,
            Optional<JobFailure> failure,
            Map<String, String> result,
            List<BackupId> begun,
            Instant now) {
        return ended(id, RUNNING_HERE, server, state, failure, result, begun, now);
    }

    /// The end of a try that this server made; the job is tried again, by whichever server is there.
    ///
    /// @param begun backups that it had begun
    /// @return whether it is: nobody wanted to cancel it, and it was still this server's
    boolean again(
            String id,
            String server,
            JobFailure failure,
            List<BackupId> begun,
            Instant due,
            Instant now) {
        return transactions.execute(
                _ -> {
                    int changed =
                            jdbc.sql(
                                            """
                                            update job set state = 'queued', due_at = :due, started_at = null,
                                              server = null, step = null
                                            where id = :id and cancel_requested = false and \
                                            """
                                                    + RUNNING_HERE)
                                    .param("due", SqlTime.of(due))
                                    .param("id", id)
                                    .param("server", server)
                                    .update();
                    if (changed > 0) {
                        jdbc.sql("delete from writer where job = :id").param("id", id).update();
                        attempts.end(id, JobState.FAILED, Optional.of(failure), begun, now);
                        trail.note(
                                "",
                                "job attempt ended",
                                what(id, get(id).request()),
                                JobState.FAILED.word() + " " + failure.error());
                    }
                    return changed > 0;
                });
    }

    /// The end of a job whose server is gone.
    boolean lost(String id, Instant now) {
        JobFailure failure =
                new JobFailure(
                        ErrorCode.INTERRUPTED.id(),
                        "the server that ran it stopped answering; what it had committed is there",
                        ErrorCode.INTERRUPTED.hint());
        return ended(
                id, "state = 'running'", "", JobState.INTERRUPTED, Optional.of(failure), Map.of(), List.of(), now);
    }

    /// Which of those that wait for the same as this one comes first.
    Optional<String> nextAfter(String id, Instant now) {
        return jdbc.sql(
                        """
                        select id from job
                        where state = 'queued' and (due_at is null or due_at <= :now) and lane = (select lane from job where id = :id)
                        order by created_at, id fetch first 1 row only
                        """)
                .param("now", SqlTime.of(now))
                .param("id", id)
                .query(String.class)
                .optional();
    }

    /// Whether nothing runs of what it waits for, and nobody comes before it.
    boolean isNext(String id, Instant now) {
        boolean free =
                jdbc.sql(
                                        """
                                        select count(*) from job where state = 'running'
                                          and lane = (select lane from job where id = :id)
                                        """)
                                .param("id", id)
                                .query(Long.class)
                                .single()
                        == 0;
        return free && nextAfter(id, now).filter(id::equals).isPresent();
    }

    /// All that are running, for a state that no other server uses.
    List<String> running() {
        return jdbc.sql("select id from job where state = 'running' order by id")
                .query(String.class)
                .list();
    }

    private boolean ended(
            String id,
            String where,
            String server,
            JobState state,
            Optional<JobFailure> failure,
            Map<String, String> result,
            List<BackupId> begun,
            Instant now) {
        return transactions.execute(
                _ -> {
                    int changed =
                            jdbc.sql(
                                            """
                                            update job set state = :state, ended_at = :now, due_at = null, error = :error,
                                              message = :message, hint = :hint, result = :result
                                            where id = :id and \
                                            """
                                                    + where)
                                    .param("state", state.word())
                                    .param("now", SqlTime.of(now))
                                    .param("error", failure.map(JobFailure::error).orElse(null))
                                    .param("message", failure.map(JobFailure::message).orElse(null))
                                    .param("hint", failure.map(JobFailure::hint).orElse(null))
                                    .param("result", JsonMap.write(result))
                                    .param("id", id)
                                    .param("server", server)
                                    .update();
                    if (changed > 0) {
                        jdbc.sql("delete from writer where job = :id").param("id", id).update();
                        attempts.end(id, state, failure, begun, now);
                        trail.note(
                                "",
                                "job ended",
                                what(id, get(id).request()),
                                state.word() + failure.map(why -> " " + why.error()).orElse(""));
                    }
                    return changed > 0;
                });
    }

    /// A queued job is cancelled at once; a running one is asked to end.
    ///
    /// @throws MainstayException JOB_UNKNOWN, JOB_OVER
    public void cancel(String id, Instant now) {
        boolean queued =
                ended(
                        id,
                        "state = 'queued'",
                        "",
                        JobState.CANCELLED,
                        Optional.empty(),
                        Map.of(),
                        List.of(),
                        now);
        if (queued) {
            return;
        }
        int running =
                jdbc.sql(
                                """
                                update job set cancel_requested = true where id = :id and state = 'running'
                                """)
                        .param("id", id)
                        .update();
        if (running == 0) {
            Job job = get(id);
            throw new MainstayException(
                    ErrorCode.JOB_OVER, "job " + id + " is " + job.state().word() + " already");
        }
    }
}
