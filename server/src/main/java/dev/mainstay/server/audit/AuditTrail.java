package dev.mainstay.server.audit;

import dev.mainstay.repository.AuditArchive;
import dev.mainstay.repository.AuditEntry;
import dev.mainstay.repository.AuditFacts;
import dev.mainstay.repository.AuditState;
import dev.mainstay.repository.Ground;
import dev.mainstay.server.state.ServerName;
import dev.mainstay.server.state.SqlTime;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionOperations;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;

/// The audit trail in the database. All servers that share it write one chain: whoever appends holds
/// the row of its head.
public final class AuditTrail implements AuditState {
    private final JdbcClient jdbc;
    private final TransactionOperations transactions;
    private final Ground ground;
    private final String server;

    public AuditTrail(
            JdbcClient jdbc,
            TransactionOperations transactions,
            Ground ground,
            ServerName server) {
        this.jdbc = jdbc;
        this.transactions = transactions;
        this.ground = ground;
        this.server = server.text();
    }

    /// The row of the head.
    record Head(
            String trail,
            long position,
            long number,
            String hash,
            long published,
            Optional<String> signingKey) {}

    /// An entry and where it stands among those of all trails.
    public record Placed(long position, AuditEntry entry, String hash) {}

    /// What to look for; empty texts and times for everything.
    public record Filter(
            String who,
            String action,
            String outcome,
            String address,
            Optional<Instant> from,
            Optional<Instant> until) {
        private boolean isOfTimeAlone() {
            return (from.isPresent() || until.isPresent())
                    && who.isEmpty()
                    && address.isEmpty()
                    && action.isEmpty()
                    && outcome.isEmpty();
        }

        /// The order of an index. A column that has one value in all these rows changes nothing, but
        /// without it an embedded database does not see that the index has them in order, and reads
        /// them all for a page.
        private String order() {
            String leading =
                    isOfTimeAlone()
                            ? "at desc, "
                            : !who.isEmpty()
                                    ? "who desc, "
                                    : !address.isEmpty()
                                            ? "address desc, "
                                            : !action.isEmpty()
                                                    ? "action desc, "
                                                    : !outcome.isEmpty() ? "outcome desc, " : "";
            return " order by " + leading + "position desc fetch first :limit rows only";
        }
    }

    /// Puts what happened behind what happened before, as part of the transaction that is open, if
    /// one is. Should be the last that a transaction does: nobody else appends until it ends.
    ///
    /// @throws org.springframework.dao.DataAccessException or another RuntimeException if it is not
    ///   on record now
    public void append(String who, String address, String action, String target, String outcome) {
        append(who, address, action, target, outcome, 1);
    }

    /// @param times how often it happened
    void append(
            String who, String address, String action, String target, String outcome, long times) {
        transactions.executeWithoutResult(
                _ ->
                        put(
                                hold(),
                                new AuditFacts(
                                        ground.clock().instant(),
                                        server,
                                        who,
                                        address,
                                        action,
                                        target,
                                        outcome,
                                        times)));
    }

    private void put(Head head, AuditFacts facts) {
        AuditEntry entry = new AuditEntry(head.trail, head.number + 1, head.hash, facts);
        String hash = entry.hash();
        jdbc.sql(
                        """
                        insert into audit_entry (position, trail, number, previous, at, server, who, address,
                          action, target, outcome, times, hash)
                        values (:position, :trail, :number, :previous, :at, :server, :who, :address,
                          :action, :target, :outcome, :times, :hash)
                        """)
                .param("position", head.position + 1)
                .param("trail", entry.trail())
                .param("number", entry.number())
                .param("previous", entry.previous())
                .param("at", SqlTime.of(facts.at()))
                .param("server", facts.server())
                .param("who", facts.who())
                .param("address", facts.address())
                .param("action", facts.action())
                .param("target", facts.target())
                .param("outcome", facts.outcome())
                .param("times", facts.times())
                .param("hash", hash)
                .update();
        jdbc.sql("update audit_head set position = :position, number = :number, hash = :hash")
                .param("position", head.position + 1)
                .param("number", entry.number())
                .param("hash", hash)
                .update();
    }

    /// The head, held until the transaction ends.
    private Head hold() {
        return jdbc.sql("select * from audit_head where id = 1 for update")
                .query(AuditTrail::readHead)
                .single();
    }

    private static Head readHead(ResultSet row, int number) throws SQLException {
        return new Head(
                row.getString("trail"),
                row.getLong("position"),
                row.getLong("number"),
                row.getString("hash"),
                row.getLong("published"),
                Optional.ofNullable(row.getString("signing_key")));
    }

    /// Makes the head, in a state that has none.
    public AuditTrail begun() {
        Optional<Integer> there =
                jdbc.sql("select id from audit_head").query(Integer.class).optional();
        if (there.isEmpty()) {
            try {
                jdbc.sql(
                                """
                                insert into audit_head (id, trail, position, number, hash, published)
                                values (1, :trail, 0, 0, :hash, 0)
                                """)
                        .param("trail", AuditArchive.newTrail(ground))
                        .param("hash", AuditEntry.NONE)
                        .update();
            } catch (DuplicateKeyException anotherServerWasFaster) {
                // its head is as good
            }
        }
        return this;
    }

    Head head() {
        return jdbc.sql("select * from audit_head").query(AuditTrail::readHead).single();
    }

    /// Keeps the key that signs this trail, unless it has one.
    void keepKey(String trail, String sealed) {
        jdbc.sql(
                        """
                        update audit_head set signing_key = :key
                        where trail = :trail and signing_key is null
                        """)
                .param("key", sealed)
                .param("trail", trail)
                .update();
    }

    void published(String trail, long number) {
        jdbc.sql("update audit_head set published = :number where trail = :trail")
                .param("number", number)
                .param("trail", trail)
                .update();
    }

    /// Begins another trail, of which the first entry says why. What was written so far stays.
    void beginAnew(Head old, String why) {
        transactions.executeWithoutResult(
                _ -> {
                    if (!hold().trail.equals(old.trail)) {
                        return; // another server did
                    }
                    jdbc.sql(
                                    """
                                    update audit_head set trail = :trail, number = 0, hash = :hash,
                                      published = 0, signing_key = null
                                    """)
                            .param("trail", AuditArchive.newTrail(ground))
                            .param("hash", AuditEntry.NONE)
                            .update();
                    append(server, "", "audit trail begins anew", old.trail, why);
                });
    }

    /// Which one of the servers this is.
    String server() {
        return server;
    }

    @Override
    public End end() {
        Head head = head();
        return new End(head.trail, head.number, head.hash, head.published);
    }

    @Override
    public List<String> trails() {
        return jdbc.sql("select distinct trail from audit_entry").query(String.class).list();
    }

    @Override
    public List<Kept> entries(String trail, long from, long to) {
        return jdbc.sql(
                        """
                        select * from audit_entry
                        where trail = :trail and number between :from and :to order by number
                        """)
                .param("trail", trail)
                .param("from", from)
                .param("to", to)
                .query((row, _) -> new Kept(entry(row), row.getString("hash")))
                .list();
    }

    private static AuditEntry entry(ResultSet row) throws SQLException {
        return new AuditEntry(
                row.getString("trail"),
                row.getLong("number"),
                row.getString("previous"),
                new AuditFacts(
                        SqlTime.read(row, "at"),
                        row.getString("server"),
                        row.getString("who"),
                        row.getString("address"),
                        row.getString("action"),
                        row.getString("target"),
                        row.getString("outcome"),
                        row.getLong("times")));
    }

    /// The newest first: by their places, which are the order in which they were put on record, and
    /// by their times where they are asked for by time alone.
    ///
    /// @param before only what comes behind the entry at this place
    public List<Placed> list(Filter filter, long before, int limit) {
        Optional<OffsetDateTime> behind =
                filter.isOfTimeAlone() ? timeOf(before) : Optional.empty();
        StringBuilder sql = new StringBuilder("select * from audit_entry where ");
        sql.append(
                behind.isPresent()
                        ? "at <= :behind and (at < :behind or position < :before)"
                        : "position < :before");
        where(sql, "who", filter.who);
        where(sql, "action", filter.action);
        where(sql, "outcome", filter.outcome);
        where(sql, "address", filter.address);
        filter.from.ifPresent(_ -> sql.append(" and at >= :from"));
        filter.until.ifPresent(_ -> sql.append(" and at < :until"));
        sql.append(filter.order());
        JdbcClient.StatementSpec statement =
                jdbc.sql(sql.toString())
                        .param("before", before)
                        .param("limit", limit)
                        .param("who", filter.who)
                        .param("action", filter.action)
                        .param("outcome", filter.outcome)
                        .param("address", filter.address);
        behind.ifPresent(time -> statement.param("behind", time));
        filter.from.ifPresent(time -> statement.param("from", SqlTime.of(time)));
        filter.until.ifPresent(time -> statement.param("until", SqlTime.of(time)));
        return statement
                .query(
                        (row, _) ->
                                new Placed(
                                        row.getLong("position"),
                                        entry(row),
                                        row.getString("hash")))
                .list();
    }

    private Optional<OffsetDateTime> timeOf(long position) {
        return jdbc.sql("select at from audit_entry where position = :position")
                .param("position", position)
                .query(OffsetDateTime.class)
                .optional();
    }

    private static void where(StringBuilder sql, String column, String value) {
        if (!value.isEmpty()) {
            sql.append(" and ").append(column).append(" = :").append(column);
        }
    }
}
