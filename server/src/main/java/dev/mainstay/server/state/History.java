package dev.mainstay.server.state;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Forgets what is long over: jobs with their logs, what schedules decided, resolved alerts, what was
/// told of them, reports. The newest of each kind stays, since what is judged by it is judged for as
/// long as it is the newest; what counts jobs goes on to count those that are forgotten. The audit
/// trail is not history: it stays whole.
public final class History {
    private static final int AT_ONCE = 500;

    private final JdbcClient jdbc;
    private final TransactionOperations transactions;
    private final Supplier<Duration> kept;

    /// @param kept how long what is over is remembered
    public History(
            JdbcClient jdbc, TransactionOperations transactions, Supplier<Duration> kept) {
        this.jdbc = jdbc;
        this.transactions = transactions;
        this.kept = kept;
    }

    /// Some at a time, so that nobody waits for long.
    public void forget(Instant now) {
        Instant before = now.minus(kept.get());
        while (Optional.ofNullable(transactions.execute(_ -> jobs(before))).orElse(0) == AT_ONCE) {}
        transactions.executeWithoutResult(_ -> rest(before));
    }

    /// @return how many
    private int jobs(Instant before) {
        List<String> ids =
                jdbc.sql(
                                """
                                select id from job where ended_at < :before and id not in
                                  (select max(id) from job where ended_at is not null
                                    group by kind, target, state)
                                order by ended_at, id fetch first :limit rows only
                                """)
                        .param("before", SqlTime.of(before))
                        .param("limit", AT_ONCE)
                        .query(String.class)
                        .list();
        if (!ids.isEmpty()) {
            count(ids);
            for (String table : List.of("idempotency", "job_log", "job_attempt", "occurrence")) {
                jdbc.sql("delete from " + table + " where job in (:ids)")
                        .param("ids", ids)
                        .update();
            }
            jdbc.sql("delete from job where id in (:ids)").param("ids", ids).update();
        }
        return ids.size();
    }

    private record Past(
            String kind, String target, String type, String state, long jobs, double seconds) {}

    private void count(List<String> ids) {
        List<Past> past =
                jdbc.sql(
                                """
                                select kind, target, type, state, count(*) as jobs,
                                  coalesce(sum(extract(epoch from (ended_at - started_at))), 0) as seconds
                                from job_of_type where id in (:ids) group by kind, target, type, state
                                """)
                        .param("ids", ids)
                        .query(
                                (row, _) ->
                                        new Past(
                                                row.getString("kind"),
                                                row.getString("target"),
                                                row.getString("type"),
                                                row.getString("state"),
                                                row.getLong("jobs"),
                                                row.getDouble("seconds")))
                        .list();
        for (Past each : past) {
            boolean known =
                    put(
                            """
                            update job_past set jobs = jobs + :jobs, seconds = seconds + :seconds
                            where kind = :kind and target = :target and type = :type and state = :state
                            """,
                            each);
            if (!known) {
                put(
                        """
                        insert into job_past (kind, target, type, state, jobs, seconds)
                        values (:kind, :target, :type, :state, :jobs, :seconds)
                        """,
                        each);
            }
        }
    }

    private boolean put(String sql, Past past) {
        return jdbc.sql(sql)
                        .param("kind", past.kind)
                        .param("target", past.target)
                        .param("type", past.type)
                        .param("state", past.state)
                        .param("jobs", past.jobs)
                        .param("seconds", past.seconds)
                        .update()
                > 0;
    }

    private void rest(Instant before) {
        for (String sql :
                List.of(
                        "delete from occurrence where at < :before and job is null",
                        "delete from notice where created_at < :before and state <> 'pending'",
                        // By the newest one of a key it is known that it was raised already.
                        """
                        delete from alert where state = 'resolved' and resolved_at < :before
                          and id not in (select max(id) from alert group by alert_key)
                          and not exists (select 1 from notice where notice.alert = alert.id)
                        """,
                        "delete from daily_report where at < :before")) {
            jdbc.sql(sql).param("before", SqlTime.of(before)).update();
        }
    }
}
