package dev.mainstay.server.confirm;

import dev.mainstay.server.security.Persons;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.state.JsonMap;
import dev.mainstay.server.state.SqlTime;

import org.springframework.jdbc.core.simple.JdbcClient;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Confirmations in the database, which has digests of their tokens. Each change is made only where
/// the row still allows it: so each is used once, whichever servers are asked.
public final class ConfirmationTable {
    private static final String OPEN =
            " where id = :id and used_at is null and refused_at is null and expires_at > :now";

    private final JdbcClient jdbc;

    public ConfirmationTable(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /// @param digest of its token
    void insert(Confirmation asked, String digest) {
        jdbc.sql(
                        """
                        insert into confirmation (id, action, target, source, least, digest, bound, words,
                          asked_by, persons, created_at, expires_at, second_person)
                        values (:id, :action, :target, :source, :least, :digest, :bound, :words,
                          :by, :persons, :created, :expires, :second)
                        """)
                .param("id", asked.id())
                .param("action", asked.action())
                .param("target", asked.target())
                .param("source", asked.source())
                .param("least", asked.least().word())
                .param("digest", digest)
                .param("bound", asked.bound())
                .param("words", String.join("\n", asked.words()))
                .param("by", asked.askedBy())
                .param("persons", JsonMap.write(asked.persons().map()))
                .param("created", SqlTime.of(asked.created()))
                .param("expires", SqlTime.of(asked.expires()))
                .param("second", asked.secondPerson())
                .update();
    }

    /// What nobody can use any more is in the audit trail.
    void forgetBefore(Instant time) {
        jdbc.sql("delete from confirmation where expires_at < :time")
                .param("time", SqlTime.of(time))
                .update();
    }

    Optional<Confirmation> get(String id) {
        return jdbc.sql("select * from confirmation where id = :id")
                .param("id", id)
                .query(ConfirmationTable::read)
                .optional();
    }

    Optional<Confirmation> withToken(String digest) {
        return jdbc.sql("select * from confirmation where digest = :digest")
                .param("digest", digest)
                .query(ConfirmationTable::read)
                .optional();
    }

    /// The newest first.
    List<Confirmation> list() {
        return jdbc.sql("select * from confirmation order by created_at desc, id")
                .query(ConfirmationTable::read)
                .list();
    }

    /// @return whether it could be
    boolean approve(String id, String who, Instant now) {
        return jdbc.sql(
                                "update confirmation set approved_by = :who, approved_at = :now"
                                        + OPEN
                                        + " and approved_at is null")
                        .param("who", who)
                        .param("now", SqlTime.of(now))
                        .param("id", id)
                        .update()
                == 1;
    }

    /// @return whether it could be
    boolean refuse(String id, String who, Instant now) {
        return jdbc.sql("update confirmation set refused_by = :who, refused_at = :now" + OPEN)
                        .param("who", who)
                        .param("now", SqlTime.of(now))
                        .param("id", id)
                        .update()
                == 1;
    }

    /// @return whether it could be
    boolean use(String id, Instant now) {
        return jdbc.sql("update confirmation set used_at = :now" + OPEN)
                        .param("now", SqlTime.of(now))
                        .param("id", id)
                        .update()
                == 1;
    }

    private static Confirmation read(ResultSet row, int number) throws SQLException {
        return new Confirmation(
                row.getString("id"),
                row.getString("action"),
                row.getString("target"),
                row.getString("source"),
                Role.parse(row.getString("least")),
                row.getString("bound"),
                row.getString("words").lines().toList(),
                row.getString("asked_by"),
                Persons.read(JsonMap.read(row.getString("persons"))),
                SqlTime.read(row, "created_at"),
                SqlTime.read(row, "expires_at"),
                row.getBoolean("second_person"),
                Optional.ofNullable(row.getString("approved_by")),
                Optional.ofNullable(row.getString("refused_by")),
                SqlTime.readIfThere(row, "used_at"));
    }
}
