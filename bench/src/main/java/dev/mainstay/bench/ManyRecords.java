package dev.mainstay.bench;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.ConfigurationReader;
import dev.mainstay.repository.AuditArchive;
import dev.mainstay.repository.AuditEntry;
import dev.mainstay.repository.AuditFacts;
import dev.mainstay.repository.AuditPublication;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.ManyBackups;
import dev.mainstay.repository.Repository;
import dev.mainstay.server.state.StateDatabase;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// `CONFIGURATION BACKUPS ENTRIES`: gives every source of a configuration its share of so many
/// backups' records, after the pattern of the one backup that the first source has, and its state
/// an audit trail of so many entries, chained and published.
public final class ManyRecords {
    private static final int BATCH = 5000;

    private ManyRecords() {}

    public static void main(String[] arguments) throws IOException, SQLException {
        Path file = Path.of(arguments[0]);
        Configuration configuration = new ConfigurationReader(Map.of()).read(file);
        Surroundings surroundings = new Surroundings(configuration, Map.of(), Ground.ofThisHost());
        try (Repository repository = surroundings.open()) {
            backups(
                    repository,
                    file.resolveSibling("repository"),
                    List.copyOf(configuration.sources().keySet()),
                    Integer.parseInt(arguments[1]));
            try (StateDatabase state =
                            StateDatabase.open(configuration.server().state(), Map.of());
                    Connection connection = state.source().getConnection()) {
                entries(repository, connection, Integer.parseInt(arguments[2]));
            }
        }
    }

    private static void backups(Repository repository, Path root, List<String> sources, int count)
            throws IOException {
        CommittedBackup real = repository.requireSource(sources.getFirst()).backups().getFirst();
        ManyBackups many = new ManyBackups(root, real);
        int each = count / sources.size();
        for (int i = 0; i < sources.size(); i++) {
            many.write(
                    repository.sourceOrAdd(sources.get(i)),
                    Long.toString(7_000_000_000_000_000_000L + i),
                    each,
                    Instant.now().minusSeconds(60L * i),
                    Duration.ofHours(6));
        }
    }

    /// As the server's own trail would be: `audit verify` proves it.
    private static void entries(Repository repository, Connection connection, int count)
            throws SQLException {
        AuditArchive archive = new AuditArchive(repository);
        String trail = AuditArchive.newTrail(repository.ground());
        String key = archive.newKey(trail);
        AuditPublication published = archive.begin(trail, key);
        AuditEntry last = null;
        connection.setAutoCommit(false);
        Instant first = Instant.now().minusSeconds(30L * count);
        try (PreparedStatement insert =
                connection.prepareStatement(
                        """
                        insert into audit_entry (position, trail, number, previous, at, server, who, address,
                          action, target, outcome, times, hash)
                        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """)) {
            for (int done = 0; done < count; done += BATCH) {
                List<AuditEntry> batch = new ArrayList<>();
                for (int i = done; i < Math.min(count, done + BATCH); i++) {
                    AuditFacts facts = facts(i, first.plusSeconds(30L * i));
                    last =
                            last == null
                                    ? new AuditEntry(trail, 1, AuditEntry.NONE, facts)
                                    : last.next(facts);
                    batch.add(last);
                    add(insert, last);
                }
                insert.executeBatch();
                connection.commit();
                published = archive.publish(published, key, batch);
            }
        }
        begin(connection, trail, key, published);
    }

    private static void add(PreparedStatement insert, AuditEntry entry) throws SQLException {
        AuditFacts facts = entry.facts();
        int column = 0;
        insert.setLong(++column, entry.number());
        insert.setString(++column, entry.trail());
        insert.setLong(++column, entry.number());
        insert.setString(++column, entry.previous());
        insert.setObject(++column, OffsetDateTime.ofInstant(facts.at(), ZoneOffset.UTC));
        insert.setString(++column, facts.server());
        insert.setString(++column, facts.who());
        insert.setString(++column, facts.address());
        insert.setString(++column, facts.action());
        insert.setString(++column, facts.target());
        insert.setString(++column, facts.outcome());
        insert.setLong(++column, facts.times());
        insert.setString(++column, entry.hash());
        insert.addBatch();
    }

    private static void begin(
            Connection connection, String trail, String key, AuditPublication published)
            throws SQLException {
        try (PreparedStatement head =
                connection.prepareStatement(
                        """
                        insert into audit_head (id, trail, position, number, hash, published, signing_key)
                        values (1, ?, ?, ?, ?, ?, ?)
                        """)) {
            head.setString(1, trail);
            head.setLong(2, published.last());
            head.setLong(3, published.last());
            head.setString(4, published.head());
            head.setLong(5, published.last());
            head.setString(6, key);
            head.executeUpdate();
            connection.commit();
        }
    }

    private static AuditFacts facts(int number, Instant at) {
        String job = "backup s" + number % 100;
        return switch (number % 4) {
            case 0 ->
                    new AuditFacts(
                            at,
                            "server-1",
                            "schedule s" + number % 100 + "/incremental",
                            "",
                            "job queued",
                            job,
                            "queued",
                            1);
            case 1 ->
                    new AuditFacts(
                            at,
                            "server-1",
                            "",
                            "",
                            "job ended",
                            job,
                            number % 50 == 1 ? "failed MS-0604" : "done",
                            1);
            case 2 ->
                    new AuditFacts(
                            at,
                            "server-1",
                            "token " + number % 30,
                            "10.0.0." + number % 200,
                            "POST /api/v1/jobs",
                            "",
                            "begun",
                            1);
            default ->
                    new AuditFacts(
                            at,
                            "server-1",
                            "token " + number % 30,
                            "10.0.0." + number % 200,
                            "POST /api/v1/jobs",
                            "",
                            "202",
                            1);
        };
    }
}
