package dev.mainstay.postgres.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

final class ConnectionSpecTest {
    private static final ServerHost LOCAL = new ServerHost.Tcp("db", 5432);

    private static ConnectionSpec parse(String url) {
        return ConnectionSpec.parse(url, Map.of());
    }

    @Test
    void aUrlIsTakenApart() {
        ConnectionSpec spec =
                parse(
                        "postgresql://bob%40x:s%3Ae%25c@db,[::1]:6000,%2Frun%2Fpg:7000/my%20db"
                                + "?sslmode=verify-full&target_session_attrs=standby"
                                + "&application_name=me&connect_timeout=3");
        assertThat(spec.hosts())
                .containsExactly(
                        LOCAL,
                        new ServerHost.Tcp("::1", 6000),
                        new ServerHost.Unix(Path.of("/run/pg"), 7000));
        assertThat(spec.user()).isEqualTo("bob@x");
        assertThat(spec.database()).isEqualTo("my db");
        assertThat(spec.sslMode()).isEqualTo(SslMode.VERIFY_FULL);
        assertThat(spec.targetSession()).isEqualTo(TargetSession.STANDBY);
        assertThat(spec.applicationName()).isEqualTo("me");
        assertThat(spec.connectTimeout()).isEqualTo(Duration.ofSeconds(3));
        assertThat(spec.password(LOCAL, "x").password()).contains("s:e%c");
        assertThat(spec.jdbcUrl(spec.hosts().get(1)))
                .isEqualTo("jdbc:postgresql://[::1]:6000/my%20db");
    }

    @Test
    void nothingPrintsThePassword() {
        ConnectionSpec spec = parse("postgresql://bob:hunter2@db/x?password=hunter3");
        assertThat(spec.toString()).isEqualTo("postgresql://bob@db:5432/x");
        assertThat(spec.password(LOCAL, "x").toString()).doesNotContain("hunter");
    }

    @Test
    void theEnvironmentFillsIn() {
        ConnectionSpec spec =
                ConnectionSpec.parse(
                        "postgresql://",
                        Map.of(
                                "PGUSER",
                                "u",
                                "PGHOST",
                                "/sock",
                                "PGPORT",
                                "99",
                                "PGPASSWORD",
                                "p"));
        assertThat(spec.hosts()).containsExactly(new ServerHost.Unix(Path.of("/sock"), 99));
        assertThat(spec.database()).isEqualTo("u");
        assertThat(spec.password(LOCAL, "x").password()).contains("p");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://bob@db",
                "postgresql://db/x",
                "postgresql://bob@db:0/x",
                "postgresql://bob@db:hunter2/x",
                "postgresql://bob@db/x?sslmod=require",
                "postgresql://bob@db/x?sslmode=hunter2",
                "postgresql://bob@db/x?target_session_attrs=read-write",
                "postgresql://bob@db/x?connect_timeout=-1",
                "postgresql://bob:hunter2%zz@db/x",
                "postgresql://bob%00@db/x",
                "postgresql://bob@[::1/x",
                "postgresql://bob@db,,db2/x",
                "postgresql://bob:hunter2@db/x?password"
            })
    void rubbishIsRefusedWithoutQuotingSecrets(String url) {
        assertThatThrownBy(() -> parse(url))
                .isInstanceOf(MainstayException.class)
                .hasMessageNotContaining("hunter");
    }

    private static Optional<String> find(Path file, ServerHost host, String... databases) {
        return new PasswordFile(file).find(host, "bob", List.of(databases)).password();
    }

    @Test
    void thePasswordFileFollowsLibpqsRules(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("pgpass");
        Files.writeString(
                file,
                """
                # db:5432:*:bob:comment
                db:5432:replication:bob:for\\:replication
                db:*:*:bob:back\\\\slash:ignored
                localhost:5432:*:bob:socket
                \\*:1:*:*:a real star
                short:line
                *:1:*:*:anybody
                """);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        assertThat(find(file, LOCAL, "replication", "x")).contains("for:replication");
        assertThat(find(file, LOCAL, "x")).contains("back\\slash");
        assertThat(find(file, new ServerHost.Unix(Path.of("/tmp"), 5432), "x")).contains("socket");
        assertThat(find(file, new ServerHost.Unix(Path.of("/other"), 5432), "x")).isEmpty();
        assertThat(find(file, new ServerHost.Tcp("else", 1), "x")).contains("anybody");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        PasswordFile.Answer answer = new PasswordFile(file).find(LOCAL, "bob", List.of("x"));
        assertThat(answer.password()).isEmpty();
        assertThat(answer.ignored().orElseThrow()).contains("must be 0600");
    }
}
