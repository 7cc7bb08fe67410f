package dev.mainstay.server.notify;

import dev.mainstay.base.BackupId;
import dev.mainstay.engine.config.Severity;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.alert.Alert;
import dev.mainstay.server.alert.News;
import dev.mainstay.server.alert.Outbox;
import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What is to be told and what became of it, in the database: a server that is killed forgets none
/// of it.
public final class NoticeTable implements Outbox {
    private final JdbcClient jdbc;
    private final Ground ground;
    private final Channels channels;

    public NoticeTable(JdbcClient jdbc, Ground ground, Channels channels) {
        this.jdbc = jdbc;
        this.ground = ground;
        this.channels = channels;
    }

    /// A notice and what became of it.
    ///
    /// @param state pending, sent, failed, or dropped: it was over before it was told
    /// @param due when it is tried next
    public record Delivery(
            Notice notice,
            String state,
            Instant due,
            Optional<Instant> sent,
            Optional<String> error) {}

    @Override
    public void put(Alert alert, News news, List<String> to, Instant due, Instant now) {
        String subject = "[" + title(alert, news) + "] " + alert.title();
        for (String channel : to) {
            if (channels.wants(channel, news.word())) {
                insert(
                        channel,
                        news.word(),
                        Optional.of(alert.id()),
                        alert.severity(),
                        subject,
                        body(alert, news),
                        due,
                        now);
            }
        }
    }

    private static String title(Alert alert, News news) {
        return news == News.FIRED
                ? alert.severity().word().toUpperCase(Locale.ROOT)
                : news.word().toUpperCase(Locale.ROOT);
    }

    private static String body(Alert alert, News news) {
        String since = "Since " + alert.began() + ", alert " + alert.id() + ".";
        return switch (news) {
            case RESOLVED ->
                    "It is over"
                            + alert.resolvedBy().map(by -> ", says " + by).orElse("")
                            + ". It was: "
                            + alert.reason()
                            + "\n"
                            + since;
            case ACKNOWLEDGED ->
                    alert.acknowledgedBy().orElse("somebody") + " looks after it.\n" + since;
            case FIRED, ESCALATED ->
                    (news == News.ESCALATED ? "Nobody has acknowledged this.\n" : "")
                            + "What happened: "
                            + alert.reason()
                            + "\nFor recovery: "
                            + alert.meaning()
                            + "\nWhat to do: "
                            + alert.todo()
                            + "\n"
                            + since;
        };
    }

    /// Something that is no alert: a report.
    public void put(
            String channel, String news, Severity severity, String subject, String body, Instant now) {
        insert(channel, news, Optional.empty(), severity, subject, body, now, now);
    }

    /// Something that is no alert, to those who have a use for it: programs that keep incidents have
    /// none for what is over by itself.
    public void putIfWanted(
            String channel, String news, Severity severity, String subject, String body, Instant now) {
        if (channels.wants(channel, news)) {
            put(channel, news, severity, subject, body, now);
        }
    }

    private void insert(
            String channel,
            String news,
            Optional<String> alert,
            Severity severity,
            String subject,
            String body,
            Instant due,
            Instant now) {
        jdbc.sql(
                        """
                        insert into notice (id, channel, news, alert, severity, subject, body, created_at,
                          due_at, state, attempts)
                        values (:id, :channel, :news, :alert, :severity, :subject, :body, :now, :due,
                          'pending', 0)
                        """)
                .param("id", BackupId.of(now, ground.randomBytes(4)).text())
                .param("channel", channel)
                .param("news", news)
                .param("alert", alert.orElse(null))
                .param("severity", severity.word())
                .param("subject", subject)
                .param("body", body)
                .param("now", SqlTime.of(now))
                .param("due", SqlTime.of(due))
                .update();
    }

    @Override
    public List<String> settle(Alert alert) {
        List<String> told =
                jdbc.sql(
                                """
                                select distinct channel from notice
                                where alert = :alert and news in ('fired', 'escalated')
                                  and (state = 'sent' or attempts > 0)
                                """)
                        .param("alert", alert.id())
                        .query(String.class)
                        .list();
        jdbc.sql("update notice set state = 'dropped' where alert = :alert and state = 'pending'")
                .param("alert", alert.id())
                .update();
        return told;
    }

    /// What is to be told now, the oldest first.
    List<Notice> due(Instant now) {
        return jdbc.sql(
                        """
                        select * from notice where state = 'pending' and due_at <= :now
                        order by created_at, id fetch first 500 rows only
                        """)
                .param("now", SqlTime.of(now))
                .query(NoticeTable::notice)
                .list();
    }

    void sent(String id, Instant now) {
        jdbc.sql(
                        """
                        update notice set state = 'sent', sent_at = :now, attempts = attempts + 1,
                          error = null where id = :id
                        """)
                .param("now", SqlTime.of(now))
                .param("id", id)
                .update();
    }

    /// @param next when it is tried again; empty: never
    void failed(String id, String error, Optional<Instant> next) {
        jdbc.sql(
                        """
                        update notice set attempts = attempts + 1, error = :error, state = :state,
                          due_at = coalesce(:next, due_at)
                        where id = :id
                        """)
                .param("error", error)
                .param("state", next.isPresent() ? "pending" : "failed")
                .param("next", next.map(SqlTime::of).orElse(null), Types.TIMESTAMP_WITH_TIMEZONE)
                .param("id", id)
                .update();
    }

    /// The newest first.
    public List<Delivery> list(int limit) {
        return jdbc.sql(
                        """
                        select * from notice order by created_at desc, id desc
                        fetch first :limit rows only
                        """)
                .param("limit", limit)
                .query(
                        (row, number) ->
                                new Delivery(
                                        notice(row, number),
                                        row.getString("state"),
                                        SqlTime.read(row, "due_at"),
                                        SqlTime.readIfThere(row, "sent_at"),
                                        Optional.ofNullable(row.getString("error"))))
                .list();
    }

    private static Notice notice(ResultSet row, int number) throws SQLException {
        return new Notice(
                row.getString("id"),
                row.getString("channel"),
                row.getString("news"),
                Optional.ofNullable(row.getString("alert")),
                Severity.parse(row.getString("severity")),
                row.getString("subject"),
                row.getString("body"),
                SqlTime.read(row, "created_at"),
                row.getInt("attempts"));
    }
}
