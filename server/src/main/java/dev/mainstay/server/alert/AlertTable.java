package dev.mainstay.server.alert;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Alerts in the database.
public final class AlertTable {
    private final JdbcClient jdbc;

    public AlertTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    void insert(String id, Finding finding, Instant now) {
        jdbc.sql(
                        """
                        insert into alert (id, alert_key, rule, subject, severity, state, occasion, title,
                          reason, meaning, todo, began_at, raised_at, seen_at, hushed)
                        values (:id, :key, :rule, :subject, :severity, 'firing', :occasion, :title,
                          :reason, :meaning, :todo, :now, :now, :now, false)
                        """)
                .param("id", id)
                .param("key", finding.key())
                .param("rule", finding.rule().word())
                .param("subject", finding.subject())
                .param("severity", finding.severity().word())
                .param("occasion", finding.occasion())
                .param("title", finding.title())
                .param("reason", finding.reason())
                .param("meaning", finding.meaning())
                .param("todo", finding.todo())
                .param("now", SqlTime.of(now))
                .update();
    }

    void seen(String id, Finding finding, Instant now) {
        jdbc.sql(
                        """
                        update alert set severity = :severity, occasion = :occasion, title = :title,
                          reason = :reason, meaning = :meaning, todo = :todo, seen_at = :now
                        where id = :id
                        """)
                .param("severity", finding.severity().word())
                .param("occasion", finding.occasion())
                .param("title", finding.title())
                .param("reason", finding.reason())
                .param("meaning", finding.meaning())
                .param("todo", finding.todo())
                .param("now", SqlTime.of(now))
                .param("id", id)
                .update();
    }

    /// It fires again, whoever had acknowledged it.
    void raise(String id, Instant now) {
        jdbc.sql(
                        """
                        update alert set state = 'firing', raised_at = :now, acknowledged_at = null,
                          acknowledged_by = null, escalated_at = null
                        where id = :id
                        """)
                .param("now", SqlTime.of(now))
                .param("id", id)
                .update();
    }

    void escalate(String id, Instant now) {
        jdbc.sql("update alert set escalated_at = :now where id = :id")
                .param("now", SqlTime.of(now))
                .param("id", id)
                .update();
    }

    /// Those that are not resolved, by their keys.
    Map<String, Alert> open() {
        Map<String, Alert> open = new LinkedHashMap<>();
        jdbc.sql("select * from alert where state in ('firing', 'acknowledged') order by id")
                .query(AlertTable::read)
                .list()
                .forEach(alert -> open.put(alert.key(), alert));
        return open;
    }

    /// Those that are not resolved.
    public List<Alert> everyOpen() {
        return List.copyOf(open().values());
    }

    /// Those that somebody resolved though they were still so, by their keys.
    Map<String, Alert> hushed() {
        Map<String, Alert> hushed = new LinkedHashMap<>();
        jdbc.sql("select * from alert where hushed order by id")
                .query(AlertTable::read)
                .list()
                .forEach(alert -> hushed.put(alert.key(), alert));
        return hushed;
    }

    void unhush(String key) {
        jdbc.sql("update alert set hushed = false where alert_key = :key and hushed")
                .param("key", key)
                .update();
    }

    /// The newest first.
    ///
    /// @param state only these, unless it is empty
    /// @param before ids that come before this one
    public List<Alert> list(Optional<AlertState> state, Optional<String> before, int limit) {
        return jdbc.sql(
                        """
                        select * from alert
                        where (:state = '' or state = :state) and (:before = '' or id < :before)
                        order by id desc fetch first :limit rows only
                        """)
                .param("state", state.map(AlertState::word).orElse(""))
                .param("before", before.orElse(""))
                .param("limit", limit)
                .query(AlertTable::read)
                .list();
    }

    /// @throws MainstayException ALERT_UNKNOWN
    public Alert get(String id) {
        return find(id)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.ALERT_UNKNOWN, "there is no alert " + id));
    }

    public Optional<Alert> find(String id) {
        return jdbc.sql("select * from alert where id = :id")
                .param("id", id)
                .query(AlertTable::read)
                .optional();
    }

    /// @return whether it was firing
    boolean acknowledge(String id, String by, Instant now) {
        return jdbc.sql(
                                """
                                update alert set state = 'acknowledged', acknowledged_at = :now,
                                  acknowledged_by = :by
                                where id = :id and state = 'firing'
                                """)
                        .param("now", SqlTime.of(now))
                        .param("by", by)
                        .param("id", id)
                        .update()
                > 0;
    }

    /// @param by empty if it is over by itself
    /// @return whether it was open
    boolean resolve(String id, Optional<String> by, Instant now) {
        return jdbc.sql(
                                """
                                update alert set state = 'resolved', resolved_at = :now,
                                  resolved_by = :by, hushed = :hushed
                                where id = :id and state in ('firing', 'acknowledged')
                                """)
                        .param("now", SqlTime.of(now))
                        .param("by", by.orElse(null))
                        .param("hushed", by.isPresent())
                        .param("id", id)
                        .update()
                > 0;
    }

    private static Alert read(ResultSet row, int number) throws SQLException {
        return new Alert(
                row.getString("id"),
                row.getString("alert_key"),
                row.getString("rule"),
                row.getString("subject"),
                Severity.parse(row.getString("severity")),
                AlertState.parse(row.getString("state")),
                row.getString("occasion"),
                row.getString("title"),
                row.getString("reason"),
                row.getString("meaning"),
                row.getString("todo"),
                SqlTime.read(row, "began_at"),
                SqlTime.read(row, "raised_at"),
                SqlTime.read(row, "seen_at"),
                SqlTime.readIfThere(row, "acknowledged_at"),
                Optional.ofNullable(row.getString("acknowledged_by")),
                SqlTime.readIfThere(row, "resolved_at"),
                Optional.ofNullable(row.getString("resolved_by")),
                SqlTime.readIfThere(row, "escalated_at"));
    }
}
