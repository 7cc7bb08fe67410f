package dev.mainstay.engine.check;

import dev.mainstay.base.Loopback;
import dev.mainstay.postgres.cluster.Finding;
import dev.mainstay.postgres.protocol.SslMode;
import dev.mainstay.storage.remote.RemotePlace;

import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Whether others on the network can read along.
final class TlsProbe {
    private static final String ID = "tls";

    private TlsProbe() {}

    /// How a session came to its server.
    ///
    /// @param version of TLS; empty without
    /// @param server its address; empty for a Unix socket
    /// @param client as the server sees it
    record Way(Optional<String> version, Optional<String> server, Optional<String> client) {
        /// Nothing leaves the host.
        boolean isLocal() {
            return server.isEmpty() || server.equals(client) || Loopback.is(server.get());
        }
    }

    static List<Finding> look(Connection connection, SslMode mode) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT CASE WHEN s.ssl THEN s.version END,"
                                        + " pg_catalog.host(pg_catalog.inet_server_addr()),"
                                        + " pg_catalog.host(pg_catalog.inet_client_addr())"
                                        + " FROM pg_catalog.pg_stat_ssl s"
                                        + " WHERE s.pid = pg_catalog.pg_backend_pid()")) {
            if (!row.next()) {
                return List.of(
                        Finding.warning(
                                ID,
                                "the server does not say whether there is TLS",
                                "look at pg_stat_ssl there"));
            }
            Way way =
                    new Way(
                            Optional.ofNullable(row.getString(1)),
                            Optional.ofNullable(row.getString(2)),
                            Optional.ofNullable(row.getString(3)));
            return List.of(judge(way, mode));
        }
    }

    static Finding judge(Way way, SslMode mode) {
        if (way.version().isPresent()) {
            boolean verified = mode == SslMode.VERIFY_CA || mode == SslMode.VERIFY_FULL;
            return Finding.ok(
                    ID,
                    way.version().get()
                            + (verified || way.isLocal()
                                    ? ""
                                    : "; that nobody stands in between is not proved:"
                                            + " sslmode=verify-full in the url does"));
        }
        return way.isLocal()
                ? Finding.ok(ID, "the server is reached without leaving this host")
                : Finding.warning(
                        ID,
                        "WAL and all that is asked of the server cross the network unencrypted",
                        "give the server a certificate and ssl = on, and the url"
                                + " ?sslmode=verify-full");
    }

    static List<Finding> store(RemotePlace place) {
        return place.endpoint()
                .filter(TlsProbe::isClear)
                .map(
                        endpoint ->
                                List.of(
                                        Finding.warning(
                                                ID,
                                                "what is stored and asked of "
                                                        + endpoint
                                                        + " crosses the network without TLS:"
                                                        + " content is encrypted, names and"
                                                        + " times are not",
                                                "give the store a certificate, and the endpoint"
                                                        + " https")))
                .orElse(List.of());
    }

    private static boolean isClear(URI endpoint) {
        return "http".equals(String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT))
                && !Loopback.is(String.valueOf(endpoint.getHost()));
    }
}
