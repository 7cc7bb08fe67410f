package dev.mainstay.server.wal;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.Lsn;
import dev.mainstay.base.TimelineId;
import dev.mainstay.engine.archive.ReceiverStatus;
import dev.mainstay.server.job.JobFailure;
import dev.mainstay.server.state.SqlTime;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.core.simple.JdbcClient.StatementSpec;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What receivers say of themselves, one row for each source.
public final class ReceiverTable {
    /// Of a server that was silent for so long another one may speak.
    private static final Duration SILENCE = Duration.ofMinutes(1);

    private final JdbcClient jdbc;

    public ReceiverTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    public List<ReceiverReport> list() {
        return jdbc.sql("select * from receiver order by source").query(ReceiverTable::read).list();
    }

    public Optional<ReceiverReport> find(String source) {
        return jdbc.sql("select * from receiver where source = :source")
                .param("source", source)
                .query(ReceiverTable::read)
                .optional();
    }

    /// Whoever receives is heard; the others only where nobody else speaks.
    void put(ReceiverReport report) {
        String row =
                """
                server = :server, state = :state, since = :since, seen_at = :seen, timeline = :timeline,
                  server_lsn = :at, spooled_lsn = :spooled, stored_lsn = :stored,
                  spooled_lag_millis = :spooledLag, stored_lag_millis = :storedLag, waiting_bytes = :waiting,
                  warning = :warning, error = :error, message = :message, hint = :hint
                """;
        int changed =
                filled(
                                jdbc.sql(
                                        "update receiver set "
                                                + row
                                                + " where source = :source and (:receives or"
                                                + " server = :server or seen_at < :silent)"),
                                report)
                        .param("receives", report.state() == ReceiverState.RECEIVING)
                        .param("silent", SqlTime.of(report.seen().minus(SILENCE)))
                        .update();
        if (changed == 0 && find(report.source()).isEmpty()) {
            insert(report);
        }
    }

    private void insert(ReceiverReport report) {
        try {
            filled(
                            jdbc.sql(
                                    """
                                    insert into receiver (source, server, state, since, seen_at, timeline, server_lsn,
                                      spooled_lsn, stored_lsn, spooled_lag_millis, stored_lag_millis, waiting_bytes,
                                      warning, error, message, hint)
                                    values (:source, :server, :state, :since, :seen, :timeline, :at, :spooled, :stored,
                                      :spooledLag, :storedLag, :waiting, :warning, :error, :message, :hint)
                                    """),
                            report)
                    .update();
        } catch (DuplicateKeyException another) {
            // it speaks for the source now
        }
    }

    private static StatementSpec filled(StatementSpec statement, ReceiverReport report) {
        Optional<ReceiverStatus> status = report.status();
        return statement
                .param("source", report.source())
                .param("server", report.server())
                .param("state", report.state().word())
                .param("since", SqlTime.of(report.since()))
                .param("seen", SqlTime.of(report.seen()))
                .param("timeline", status.map(each -> each.timeline().value()).orElse(null))
                .param("at", status.map(each -> each.server().toString()).orElse(null))
                .param("spooled", status.map(each -> each.spooled().toString()).orElse(null))
                .param("stored", status.map(each -> each.stored().toString()).orElse(null))
                .param("spooledLag", status.map(each -> each.spooledLag().toMillis()).orElse(null))
                .param("storedLag", status.map(each -> each.storedLag().toMillis()).orElse(null))
                .param("waiting", status.map(each -> each.waiting().bytes()).orElse(null))
                .param("warning", report.warning().orElse(null))
                .param("error", report.failure().map(JobFailure::error).orElse(null))
                .param("message", report.failure().map(JobFailure::message).orElse(null))
                .param("hint", report.failure().map(JobFailure::hint).orElse(null));
    }

    private static ReceiverReport read(ResultSet row, int number) throws SQLException {
        String error = row.getString("error");
        return new ReceiverReport(
                row.getString("source"),
                row.getString("server"),
                ReceiverState.parse(row.getString("state")),
                SqlTime.read(row, "since"),
                SqlTime.read(row, "seen_at"),
                row.getString("stored_lsn") == null ? Optional.empty() : Optional.of(status(row)),
                Optional.ofNullable(row.getString("warning")),
                error == null
                        ? Optional.empty()
                        : Optional.of(
                                new JobFailure(
                                        error, row.getString("message"), row.getString("hint"))));
    }

    private static ReceiverStatus status(ResultSet row) throws SQLException {
        return new ReceiverStatus(
                TimelineId.of(row.getInt("timeline")),
                Lsn.parse(row.getString("server_lsn")),
                Lsn.parse(row.getString("spooled_lsn")),
                Lsn.parse(row.getString("stored_lsn")),
                Duration.ofMillis(row.getLong("spooled_lag_millis")),
                Duration.ofMillis(row.getLong("stored_lag_millis")),
                ByteSize.of(row.getLong("waiting_bytes")));
    }
}
