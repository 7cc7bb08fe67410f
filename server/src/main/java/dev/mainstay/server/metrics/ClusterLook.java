package dev.mainstay.server.metrics;

import dev.mainstay.base.Lsn;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.config.SourceSettings;
import dev.mainstay.postgres.protocol.SqlSession;

import org.jspecify.annotations.Nullable;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;

/// Asks one source's server how it is.
final class ClusterLook {
    /// Sizes of databases are found out by looking at each of their files.
    private static final Duration SIZES = Duration.ofMinutes(10);

    private static final int NETWORK_MILLIS = 20_000;

    private static final String SELF =
            """
            SELECT pg_catalog.pg_is_in_recovery(),
              CASE WHEN pg_catalog.pg_is_in_recovery()
                THEN coalesce(pg_catalog.pg_last_wal_replay_lsn(), '0/0')
                ELSE pg_catalog.pg_current_wal_flush_lsn() END,
              (SELECT coalesce(sum(numbackends), 0) FROM pg_catalog.pg_stat_database),
              current_setting('max_connections')::bigint,
              pg_catalog.clock_timestamp(),
              (SELECT coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)
                FROM pg_catalog.pg_stat_archiver),
              pg_catalog.pg_conf_load_time()
            """;

    private static final String STANDBYS =
            """
            SELECT application_name, coalesce(pg_catalog.host(client_addr), 'local'), coalesce(state, ''),
              extract(epoch FROM replay_lag), replay_lsn
            FROM pg_catalog.pg_stat_replication
            WHERE coalesce(state, '') <> 'backup'
            """;

    private static final String SLOTS =
            """
            SELECT slot_name, coalesce(wal_status, 'lost'), active,
              coalesce(pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery()
                THEN pg_catalog.pg_last_wal_replay_lsn() ELSE pg_catalog.pg_current_wal_lsn() END,
                restart_lsn), 0), safe_wal_size
            FROM pg_catalog.pg_replication_slots
            """;

    private static final String DATABASES =
            """
            SELECT datname, pg_catalog.pg_database_size(oid) FROM pg_catalog.pg_database
            WHERE datallowconn AND NOT datistemplate
              AND pg_catalog.has_database_privilege(oid, 'CONNECT')
            """;

    private final Surroundings surroundings;
    private final SourceSettings source;
    private final PositionTrail trail = new PositionTrail();
    private Map<String, Long> sizes = Map.of();
    private Instant sizedAt = Instant.MIN;
    private @Nullable ClusterFacts last;

    ClusterLook(Surroundings surroundings, SourceSettings source) {
        this.surroundings = surroundings;
        this.source = source;
    }

    PositionTrail trail() {
        return trail;
    }

    /// A server that does not answer is a finding, not a failure.
    ClusterFacts look() {
        Instant now = now();
        ClusterFacts before = last;
        ClusterFacts facts;
        try {
            ClusterFacts.Readings readings = readings();
            facts =
                    new ClusterFacts(
                            now,
                            Optional.empty(),
                            before != null && before.up() ? before.since() : now,
                            Optional.of(readings));
        } catch (MainstayException failed) {
            facts =
                    new ClusterFacts(
                            now,
                            Optional.of(
                                    new ClusterFacts.Problem(
                                            failed.code(), String.valueOf(failed.getMessage()))),
                            before != null && !before.up() ? before.since() : now,
                            before == null ? Optional.empty() : before.readings());
        }
        last = facts;
        return facts;
    }

    private Instant now() {
        return surroundings.ground().clock().instant();
    }

    private ClusterFacts.Readings readings() {
        try (Connection connection =
                SqlSession.openSql(
                        surroundings.connection(source.postgres()), "mainstay watch")) {
            connection.setNetworkTimeout(Runnable::run, NETWORK_MILLIS);
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET statement_timeout = '10s'");
                return read(statement);
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("looking at the server of " + source.name(), failed);
        }
    }

    private ClusterFacts.Readings read(Statement statement) throws SQLException {
        Instant before = now();
        try (ResultSet row = statement.executeQuery(SELF)) {
            row.next();
            Instant after = now();
            boolean standby = row.getBoolean(1);
            Lsn position = Lsn.parse(row.getString(2));
            long connections = row.getLong(3);
            long most = row.getLong(4);
            Instant clock =
                    Objects.requireNonNull(row.getObject(5, OffsetDateTime.class)).toInstant();
            boolean failing = row.getBoolean(6);
            Instant configured =
                    Objects.requireNonNull(row.getObject(7, OffsetDateTime.class)).toInstant();
            trail.add(before, position);
            return new ClusterFacts.Readings(
                    position,
                    standby,
                    connections,
                    most,
                    ahead(before, clock, after),
                    configured,
                    failing,
                    standbys(statement, before),
                    slots(statement),
                    databases(statement));
        }
    }

    /// The server answered between `before` and `after` of this host's clock.
    static Duration ahead(Instant before, Instant server, Instant after) {
        if (server.isAfter(after)) {
            return Duration.between(after, server);
        }
        return server.isBefore(before) ? Duration.between(before, server) : Duration.ZERO;
    }

    private List<ClusterFacts.Standby> standbys(Statement statement, Instant now)
            throws SQLException {
        List<ClusterFacts.Standby> standbys = new ArrayList<>();
        try (ResultSet row = statement.executeQuery(STANDBYS)) {
            while (row.next()) {
                String name = row.getString(1);
                if (name.startsWith("mainstay") || name.equals(source.postgres().receiver().slot())) {
                    continue; // receives for the repository, and replays nothing
                }
                double told = row.getDouble(4);
                Duration said = Duration.ofMillis((long) (told * 1000));
                Optional<Lsn> replayed = Optional.ofNullable(row.getString(5)).map(Lsn::parse);
                standbys.add(
                        new ClusterFacts.Standby(
                                name.isEmpty() ? row.getString(2) : name,
                                row.getString(3),
                                replayed.flatMap(at -> trail.age(at, now))
                                        .map(age -> age.compareTo(said) < 0 ? said : age),
                                replayed.isEmpty() || trail.last().isEmpty()
                                        ? OptionalLong.empty()
                                        : OptionalLong.of(
                                                Math.max(
                                                        0,
                                                        trail.last()
                                                                .get()
                                                                .minus(replayed.get())))));
            }
        }
        return standbys;
    }

    private static List<ClusterFacts.Slot> slots(Statement statement) throws SQLException {
        List<ClusterFacts.Slot> slots = new ArrayList<>();
        try (ResultSet row = statement.executeQuery(SLOTS)) {
            while (row.next()) {
                long safe = row.getLong(5);
                OptionalLong left = row.wasNull() ? OptionalLong.empty() : OptionalLong.of(safe);
                slots.add(
                        new ClusterFacts.Slot(
                                row.getString(1),
                                row.getString(2),
                                row.getBoolean(3),
                                Math.max(0, row.getLong(4)),
                                left));
            }
        }
        return slots;
    }

    private Map<String, Long> databases(Statement statement) throws SQLException {
        if (now().isBefore(sizedAt.equals(Instant.MIN) ? sizedAt : sizedAt.plus(SIZES))) {
            return sizes;
        }
        Map<String, Long> fresh = new HashMap<>();
        try (ResultSet row = statement.executeQuery(DATABASES)) {
            while (row.next()) {
                fresh.put(row.getString(1), row.getLong(2));
            }
        }
        sizes = fresh;
        sizedAt = now();
        return sizes;
    }
}
