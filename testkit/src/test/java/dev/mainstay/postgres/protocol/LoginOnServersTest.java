package dev.mainstay.postgres.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.testkit.ClusterOptions;
import dev.mainstay.testkit.TestCluster;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Every way in, and every refusal, for the replication protocol and for SQL.
@Timeout(120)
final class LoginOnServersTest {
    private static final ReplicationOptions OPTIONS = ReplicationOptions.of(InstantSource.system());

    private static final String HBA =
            """
            local  all,replication  all    trust
            host   all,replication  trusty  127.0.0.1/32 trust
            host   all,replication  clear   127.0.0.1/32 password
            host   all,replication  md      127.0.0.1/32 md5
            hostssl all,replication tlsonly 127.0.0.1/32 scram-sha-256
            hostnossl all,replication plainonly 127.0.0.1/32 scram-sha-256
            hostssl all,replication certified 127.0.0.1/32 cert
            host   all,replication  scram,nobody 127.0.0.1/32 scram-sha-256
            host   all  postgres 127.0.0.1/32 trust
            """;

    private static ErrorCode codeOf(ThrowingCallable call) {
        return catchThrowableOfType(MainstayException.class, call).code();
    }

    private static ConnectionSpec spec(TestCluster cluster, String login, String query) {
        return spec(cluster, "127.0.0.1", login, query);
    }

    private static ConnectionSpec spec(
            TestCluster cluster, String host, String login, String query) {
        return ConnectionSpec.parse(
                "postgresql://" + login + "@" + host + ":" + cluster.port() + "/postgres" + query,
                Map.of());
    }

    /// Both ways in work, or both are refused with the same code.
    private static void works(ConnectionSpec spec, boolean encrypted) throws SQLException {
        try (ReplicationConnection connection = ReplicationConnection.open(spec, OPTIONS)) {
            assertThat(connection.encrypted()).isEqualTo(encrypted);
            assertThat(connection.identifySystem().timeline().value()).isEqualTo(1);
            connection.cancel();
        }
        try (Connection connection = SqlSession.openSql(spec, "login test");
                Statement statement = connection.createStatement();
                ResultSet result =
                        statement.executeQuery(
                                "SELECT coalesce(ssl, false), application_name, repeat('x', 300000)"
                                        + " FROM pg_stat_activity LEFT JOIN pg_stat_ssl USING (pid)"
                                        + " WHERE pid = pg_backend_pid()")) {
            assertThat(result.next()).isTrue();
            assertThat(result.getBoolean(1)).isEqualTo(encrypted);
            assertThat(result.getString(2)).isEqualTo("login test");
            assertThat(result.getString(3)).hasSize(300_000);
        }
    }

    private static void refused(ConnectionSpec spec, ErrorCode code) {
        assertThat(codeOf(() -> ReplicationConnection.open(spec, OPTIONS).close())).isEqualTo(code);
        assertThat(codeOf(() -> SqlSession.openSql(spec, "t").close())).isEqualTo(code);
    }

    private static void prepare(TestCluster cluster) throws IOException {
        cluster.sql(
                "SET password_encryption = 'md5'",
                "CREATE ROLE md LOGIN REPLICATION PASSWORD 'm:d'",
                "RESET password_encryption",
                "CREATE ROLE trusty LOGIN REPLICATION",
                "CREATE ROLE clear LOGIN REPLICATION PASSWORD 'c'",
                "CREATE ROLE tlsonly LOGIN REPLICATION PASSWORD 't'",
                "CREATE ROLE plainonly LOGIN REPLICATION PASSWORD 'p'",
                "CREATE ROLE certified LOGIN REPLICATION",
                "CREATE ROLE scram LOGIN REPLICATION PASSWORD 'pässword'",
                "CREATE ROLE nobody LOGIN PASSWORD 'n'");
        Files.writeString(cluster.dataDirectory().resolve("pg_hba.conf"), HBA);
        cluster.reload();
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void without_tls(int major) throws Exception {
        try (TestCluster cluster = TestCluster.create(major, ClusterOptions.standard())) {
            prepare(cluster);
            works(spec(cluster, "trusty", ""), false);
            works(spec(cluster, "md:m%3Ad", ""), false);
            works(spec(cluster, "scram:p%C3%A4ssword", ""), false);
            works(spec(cluster, "clear:c", "?require_auth=password"), false);
            works(spec(cluster, "plainonly:p", "?sslmode=allow"), false);
            String socket = cluster.socketDirectory().toString().replace("/", "%2F");
            works(spec(cluster, socket, "scram", "?sslmode=verify-full"), false);
            refused(spec(cluster, "clear:c", ""), ErrorCode.SERVER_LOGIN_REFUSED);
            refused(spec(cluster, "scram:wrong", ""), ErrorCode.SERVER_LOGIN_REFUSED);
            refused(spec(cluster, "md:wrong", ""), ErrorCode.SERVER_LOGIN_REFUSED);
            refused(spec(cluster, "scram", ""), ErrorCode.SERVER_LOGIN_REFUSED);
            refused(spec(cluster, "tlsonly:t", ""), ErrorCode.SERVER_LOGIN_REFUSED);
            refused(spec(cluster, "scram:x", "?sslmode=require"), ErrorCode.SERVER_TLS);
            assertThat(
                            codeOf(
                                    () ->
                                            ReplicationConnection.open(
                                                    spec(cluster, "nobody:n", ""), OPTIONS)))
                    .isEqualTo(ErrorCode.SERVER_LOGIN_REFUSED);
            refused(spec(cluster, "%2Fnowhere", "scram", ""), ErrorCode.SERVER_UNREACHABLE);
            cluster.stop();
            refused(spec(cluster, "trusty", ""), ErrorCode.SERVER_UNREACHABLE);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void with_tls(int major, @TempDir Path directory) throws Exception {
        Assumptions.assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/openssl")), "needs the openssl program");
        authority(directory, "ca");
        authority(directory, "other");
        certificate(directory, "server", "localhost", "DNS:localhost");
        certificate(directory, "client", "certified", "DNS:client");
        try (TestCluster cluster = TestCluster.create(major, ClusterOptions.standard())) {
            prepare(cluster);
            for (String name : List.of("server.crt", "server.key", "ca.crt")) {
                install(cluster, directory.resolve(name));
            }
            cluster.configure(Map.of("ssl", "on", "ssl_ca_file", "ca.crt"));
            cluster.restart();
            String root = "&sslrootcert=" + directory.resolve("ca.crt");
            String wrongRoot = "&sslrootcert=" + directory.resolve("other.crt");
            String login = "scram:p%C3%A4ssword";
            works(spec(cluster, login, "?sslmode=disable"), false);
            works(spec(cluster, login, "?sslmode=allow"), false);
            works(spec(cluster, login, ""), true);
            works(spec(cluster, "tlsonly:t", "?sslmode=allow"), true);
            works(spec(cluster, "plainonly:p", "?sslmode=prefer"), false);
            works(spec(cluster, login, "?sslmode=require"), true);
            works(spec(cluster, "clear:c", "?sslmode=require"), true);
            works(spec(cluster, login, "?sslmode=verify-ca" + root), true);
            works(spec(cluster, "localhost", login, "?sslmode=verify-full" + root), true);
            refused(spec(cluster, login, "?sslmode=verify-full" + root), ErrorCode.SERVER_TLS);
            refused(spec(cluster, login, "?sslmode=verify-ca" + wrongRoot), ErrorCode.SERVER_TLS);
            refused(spec(cluster, login, "?sslmode=require" + wrongRoot), ErrorCode.SERVER_TLS);
            refused(spec(cluster, login, "?sslmode=verify-full"), ErrorCode.SERVER_TLS);
            refused(
                    spec(cluster, "plainonly:p", "?sslmode=require"),
                    ErrorCode.SERVER_LOGIN_REFUSED);
            String client =
                    "&sslcert="
                            + directory.resolve("client.crt")
                            + "&sslkey="
                            + directory.resolve("client.key");
            works(spec(cluster, "certified", "?sslmode=verify-ca" + root + client), true);
            refused(
                    spec(cluster, "certified", "?sslmode=verify-ca" + root),
                    ErrorCode.SERVER_LOGIN_REFUSED);
            Files.setPosixFilePermissions(
                    directory.resolve("client.key"), PosixFilePermissions.fromString("rw-r--r--"));
            refused(spec(cluster, "certified", "?sslmode=require" + client), ErrorCode.SERVER_TLS);
        }
    }

    private static void install(TestCluster cluster, Path file) throws IOException {
        UserPrincipal owner = Files.getOwner(cluster.dataDirectory());
        Path copy = cluster.dataDirectory().resolve(file.getFileName());
        Files.copy(file, copy);
        Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rw-------"));
        Files.setOwner(copy, owner);
    }

    private static void authority(Path directory, String name) throws Exception {
        openssl(
                directory,
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=" + name,
                "-keyout",
                name + ".key",
                "-out",
                name + ".crt");
    }

    private static void certificate(Path directory, String name, String subject, String alternative)
            throws Exception {
        openssl(
                directory,
                "req",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=" + subject,
                "-keyout",
                name + ".key",
                "-out",
                name + ".csr");
        Files.writeString(directory.resolve(name + ".ext"), "subjectAltName=" + alternative);
        openssl(
                directory,
                "x509",
                "-req",
                "-in",
                name + ".csr",
                "-CA",
                "ca.crt",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "2",
                "-extfile",
                name + ".ext",
                "-out",
                name + ".crt");
    }

    private static void openssl(Path directory, String... arguments) throws Exception {
        Process process =
                new ProcessBuilder("/usr/bin/openssl")
                        .command(
                                java.util.stream.Stream.concat(
                                                java.util.stream.Stream.of("/usr/bin/openssl"),
                                                java.util.Arrays.stream(arguments))
                                        .toList())
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output =
                new String(
                        process.getInputStream().readAllBytes(),
                        java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
    }
}
