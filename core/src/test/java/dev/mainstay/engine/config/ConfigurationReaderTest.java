package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ByteSize;
import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.retention.CopyKeep;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

class ConfigurationReaderTest {
    private static final String SMALL = "repository:\n  url: file:///r\n";
    private static final Path FOLDER = Path.of("/etc/mainstay");

    private static Configuration parse(String yaml, Map<String, String> environment) {
        return new ConfigurationReader(environment).parse("m.yaml", yaml, FOLDER);
    }

    private static void refusedSaying(ErrorCode code, String yaml, String... parts) {
        assertThatThrownBy(() -> parse(yaml, Map.of("SECRET", "tell-nobody")))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> {
                            assertThat(wrong.code()).isEqualTo(code);
                            assertThat(wrong.getMessage())
                                    .contains(parts)
                                    .doesNotContain("tell-nobody");
                        });
    }

    @Test
    void commandsAroundARestoreAreOneOrSeveral() {
        String yaml =
                """
                repository: { url: "file:///r", encryption: none }
                sources:
                  orders:
                    postgres: { url: "postgres://h/db" }
                    restore:
                      before: systemctl stop app
                      after: ["systemctl start db", "systemctl start ${APP}"]
                      timeout: %s
                  plain: { postgres: { url: "postgres://h/db" } }
                """;
        Configuration configuration = parse(yaml.formatted("90s"), Map.of("APP", "shop"));
        assertThat(configuration.source("orders").restore())
                .isEqualTo(
                        new RestoreSettings(
                                List.of("systemctl stop app"),
                                List.of("systemctl start db", "systemctl start shop"),
                                Duration.ofSeconds(90)));
        assertThat(configuration.source("plain").restore()).isEqualTo(RestoreSettings.none());
        assertThatThrownBy(() -> parse(yaml.formatted("500ms"), Map.of("APP", "shop")))
                .hasMessageContaining("sources.orders.restore.timeout: '500ms' is not between");
    }

    @Test
    void aCopyHasAPlaceOfItsOwnAndTheKeysOfTheRepository() {
        Configuration configuration =
                parse(
                        SMALL
                                + """
                                copies:
                                  disk: { url: "file:///copy", max-rate: 50MiB }
                                  cloud: { url: "s3://bucket/prefix", region: eu-central-1 }
                                """,
                        Map.of());
        assertThat(configuration.copies().keySet()).containsExactly("disk", "cloud");
        assertThat(configuration.copy("disk").maxRate()).contains(ByteSize.mib(50));
        RepositorySettings cloud = configuration.from("cloud").repository();
        assertThat(cloud.url()).isEqualTo("s3://bucket/prefix");
        assertThat(cloud.place()).isPresent();
        assertThat(cloud.key()).isEqualTo(configuration.repository().key());
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "copies: { same: { url: \"" + configuration.repository().url() + "\" } }\n",
                "copies.same: is the repository itself");
        refusedSaying(
                ErrorCode.CONFIG_KEY_UNKNOWN,
                SMALL + "copies: { disk: { url: \"file:///copy\", key: { file: k } } }\n",
                "'copies.disk.key'");
    }

    @Test
    void aCopyMayHoldSomeOfWhatTheSourcesKeep() {
        String yaml =
                SMALL
                        + """
                        retention: { monthly: 12, wal: { days: 7 } }
                        sources: { orders: { postgres: { url: postgresql://h } } }
                        copies: { some: { url: "file:///copy", keep: %s } }
                        """;
        assertThat(parse(yaml.formatted("[monthly]"), Map.of()).copy("some").keep())
                .contains(new CopyKeep(Set.of("monthly"), OptionalInt.empty()));
        assertThat(
                        parse(yaml.formatted("{ periods: monthly, younger-than: 48h }"), Map.of())
                                .copy("some")
                                .keep())
                .contains(new CopyKeep(Set.of("monthly"), OptionalInt.of(2)));
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                yaml.formatted("[monthly, yearly]"),
                "copies.some.keep: names yearly, of which the retention of source",
                "keeps nothing");
        refusedSaying(
                ErrorCode.CONFIG_INVALID, yaml.formatted("[mondays]"), "'mondays' is none of");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                yaml.formatted("{ younger-than: 36h }"),
                "not a number of whole days");
        refusedSaying(ErrorCode.CONFIG_INVALID, yaml.formatted("{ }"), "says nothing");
    }

    @Test
    void theExampleOfTheManualIsRead() {
        Configuration configuration =
                parse(
                        """
                        repository:
                          url: file:///var/lib/mainstay/repository
                          key: { passphrase: ${MAINSTAY_PASSPHRASE} }
                          compression: zstd:7
                          pack-size: 16MiB
                        sources:
                          orders:
                            postgres:
                              url: postgresql://backup@127.0.0.1:5432/postgres
                              data-directory: /var/lib/postgresql/17/main
                              process-max: 2
                              max-rate: 50MiB
                              local-address: 192.0.2.7
                              max-commit-latency: 100ms
                              standby:
                                url: postgresql://backup@192.0.2.8/postgres
                                data-directory: standby
                              backup-from: standby
                              receiver:
                                spool: spool/orders
                                spool-limit: 2GB
                                status-interval: 500ms
                          Stock-2: { postgres: { url: "postgres://h/db" } }
                        """,
                        Map.of("MAINSTAY_PASSPHRASE", "a # b: {c}"));
        RepositorySettings repository = configuration.repository();
        assertThat(repository.url()).isEqualTo("file:///var/lib/mainstay/repository");
        assertThat(repository.requireKey())
                .isEqualTo(new KeySource.Passphrase(Secret.of("a # b: {c}")));
        assertThat(repository.encrypted()).isTrue();
        assertThat(repository.zstdLevel()).isEqualTo(7);
        assertThat(repository.packSize()).isEqualTo(ByteSize.mib(16));
        assertThat(configuration.sources().keySet()).containsExactly("orders", "Stock-2");
        PostgresSettings orders = configuration.source("orders").postgres();
        assertThat(orders.dataDirectory()).contains(Path.of("/var/lib/postgresql/17/main"));
        assertThat(orders.processMax()).isEqualTo(2);
        assertThat(orders.limits().maxRate()).contains(ByteSize.mib(50));
        assertThat(orders.limits().localAddress()).contains("192.0.2.7");
        assertThat(orders.limits().maxCommitLatency()).contains(Duration.ofMillis(100));
        assertThat(orders.limits().maxReplicationLag()).isEmpty();
        assertThat(orders.standby())
                .contains(
                        new PostgresSettings.Standby(
                                "postgresql://backup@192.0.2.8/postgres",
                                Optional.empty(),
                                Optional.of(Path.of("/etc/mainstay/standby")),
                                true));
        assertThat(orders.receiver())
                .isEqualTo(
                        new ReceiverSettings(
                                Path.of("/etc/mainstay/spool/orders"),
                                ByteSize.mib(2048),
                                "mainstay_orders",
                                Duration.ofMillis(500),
                                Duration.ofSeconds(5),
                                true));
        PostgresSettings stock = configuration.source("Stock-2").postgres();
        assertThat(stock.dataDirectory()).isEmpty();
        assertThat(stock.limits()).isEqualTo(PostgresSettings.Limits.NONE);
        assertThat(stock.receiver().slot()).isEqualTo("mainstay_stock_2");
        assertThat(stock.receiver().byServer()).isTrue();
        assertThat(configuration.toString()).doesNotContain("a # b");
    }

    @Test
    void aReceiverThatIsNotTheServersCanStillBeToldWhereItsSpoolIs() {
        Configuration configuration =
                parse(
                        """
                        repository: { url: file:///r, encryption: none }
                        sources:
                          off: { postgres: { url: postgresql://h/db, receiver: off } }
                          beside:
                            postgres:
                              url: postgresql://h/db
                              receiver: { spool: spool, by-server: false }
                        """,
                        Map.of());
        assertThat(configuration.source("off").postgres().receiver())
                .isEqualTo(ReceiverSettings.defaults("off").notByServer());
        ReceiverSettings beside = configuration.source("beside").postgres().receiver();
        assertThat(beside.byServer()).isFalse();
        assertThat(beside.spool()).isEqualTo(Path.of("/etc/mainstay/spool"));
    }

    @Test
    void anUnknownKeyIsToldWithItsPlaceAndTheNearestKnownOne() {
        refusedSaying(
                ErrorCode.CONFIG_KEY_UNKNOWN,
                SMALL + "  compresion: zstd:3\n",
                "m.yaml:3:3: unknown key 'repository.compresion'; did you mean 'compression'?");
        refusedSaying(
                ErrorCode.CONFIG_KEY_UNKNOWN,
                SMALL
                        + "sources:\n"
                        + "  a:\n"
                        + "    postgres: { url: postgresql://h, data_directory: /d }\n",
                "'sources.a.postgres.data_directory'; did you mean 'data-directory'?");
        refusedSaying(ErrorCode.CONFIG_KEY_UNKNOWN, SMALL + "zebra: 1\n", "'zebra'");
    }

    @Test
    void aWrongValueIsToldWithFileLineColumnAndPath() {
        String postgres = SMALL + "sources: { a: { postgres: { url: postgresql://h, ";
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                postgres + "backup-from: standby } } }\n",
                "sources.a.postgres.backup-from: needs the key 'standby' beside it");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                postgres + "standby: { url: postgresql://h }, backup-from: both } } }\n",
                "sources.a.postgres.backup-from: 'both' is none of prefer-standby, standby and");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                postgres + "standby: { data-directory: /d } } } }\n",
                "needs the key 'url'");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                postgres + "max-rate: 1KiB } } }\n",
                "sources.a.postgres.max-rate: '1KiB' is less than");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                postgres + "local-address: eth0 } } }\n",
                "sources.a.postgres.local-address:");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "sources:\n  orders:\n    postgres:\n      url: [a, b]\n",
                "m.yaml:6:12: sources.orders.postgres.url: must be a single value, not a list");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "  pack-size: big\n",
                "m.yaml:3:14: repository.pack-size: not a size: 'big'");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + "  pack-size: 1B\n", "less than 1.00 MiB");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + "  compression: zstd:23\n", "zstd:19");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + "  encryption: rot13\n", "rot13");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + "  key: k\n", "{ file: PATH }");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "  key: { file: f, passphrase: p }\n",
                "one of file, passphrase");
        refusedSaying(ErrorCode.CONFIG_INVALID, "repository:\n", "must hold keys, not nothing");
        refusedSaying(ErrorCode.CONFIG_INVALID, "repository: {}\n", "needs the key 'url'");
        refusedSaying(ErrorCode.CONFIG_INVALID, "sources: {}\n", "needs the key 'repository'");
        refusedSaying(ErrorCode.CONFIG_INVALID, "repository: { url: }\n", "has no value");
        refusedSaying(ErrorCode.CONFIG_INVALID, "repository: { url: x }\n", "no url of a store");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + SMALL, "is given twice");
        refusedSaying(ErrorCode.CONFIG_INVALID, "", "is empty");
        refusedSaying(ErrorCode.CONFIG_INVALID, "a: b: c\n", "m.yaml:1:5");
        refusedSaying(ErrorCode.CONFIG_INVALID, "- a\n", "must hold keys, not a list");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + "---\nb: 1\n", "m.yaml");
    }

    @Test
    void anUnsetVariableIsAnErrorAndItsDefaultIsNot() {
        refusedSaying(
                ErrorCode.CONFIG_VARIABLE_UNSET,
                "repository:\n  url: ${WHERE}\n",
                "m.yaml:2:8: repository.url: environment variable WHERE is not set");
        String yaml = "repository: { url: ${WHERE:s3://${BUCKET:my-bucket}/prefix} }\n";
        assertThat(parse(yaml, Map.of()).repository().url()).isEqualTo("s3://my-bucket/prefix");
        assertThat(parse(yaml, Map.of("BUCKET", "b")).repository().url())
                .isEqualTo("s3://b/prefix");
        assertThat(parse(yaml, Map.of("WHERE", "file:///${BUCKET}")).repository().url())
                .as("what a variable holds is not expanded again")
                .isEqualTo("file:///${BUCKET}");
    }

    @Test
    void anEscapedExpressionStaysAndABrokenOneIsRefused() {
        assertThat(parse("repository: { url: \"file:///$${A:b}\" }", Map.of()).repository().url())
                .isEqualTo("file:///${A:b}");
        refusedSaying(ErrorCode.CONFIG_INVALID, "repository:\n  url: \"file:///${A\"\n", "'}'");
        refusedSaying(ErrorCode.CONFIG_INVALID, "repository:\n  url: ${A-B}\n", "no name of");
        refusedSaying(ErrorCode.CONFIG_INVALID, SMALL + "# \uE07B\n", "private use");
    }

    @Test
    void noMessageHoldsASecret() {
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "  key: { passphrase: ${SECRET}, file: [ }\n",
                "m.yaml:3");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "sources: { a: { postgres: { url: 'mysql://u:${SECRET}@h/d' } } }",
                "mysql://u:***@h/d");
        Configuration configuration =
                parse(
                        SMALL
                                + "sources: { a: { postgres: { url: 'postgresql://u:p@x@h/d',"
                                + " password: q } } }",
                        Map.of());
        assertThat(configuration.toString()).doesNotContain("p@x").contains("u:***@h/d");
        assertThat(UrlPassword.hide("postgresql://h/d?user=u&password=p&sslpassword=s&a=b"))
                .isEqualTo("postgresql://h/d?user=u&password=***&sslpassword=***&a=b");
    }

    @Test
    void aMissingKeyIsToldWhenItIsNeeded() {
        assertThatThrownBy(() -> parse(SMALL, Map.of()).repository().requireKey())
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> assertThat(wrong.code()).isEqualTo(ErrorCode.KEY_MISSING));
        assertThat(parse(SMALL + "  encryption: none\n", Map.of()).repository().encrypted())
                .isFalse();
    }

    @Test
    void anUnknownSourceNamesTheNearest() {
        Configuration configuration =
                parse(
                        SMALL + "sources: { orders: { postgres: { url: postgresql://h } } }",
                        Map.of());
        assertThatThrownBy(() -> configuration.source("order"))
                .hasMessageContaining("did you mean 'orders'?");
        refusedSaying(
                ErrorCode.CONFIG_INVALID,
                SMALL + "sources: { ../x: { postgres: { url: postgresql://h } } }",
                "the name of a source");
    }

    @Test
    void aMissingFileIsToldWithWhereWasLooked(@TempDir Path folder) {
        ConfigurationReader reader = new ConfigurationReader(Map.of());
        assertThatThrownBy(() -> reader.find(Optional.of(Path.of("no.yaml")), folder))
                .hasMessage("no configuration at " + folder.resolve("no.yaml"));
        if (!Files.exists(Path.of("/etc/mainstay/mainstay.yaml"))) {
            assertThatThrownBy(() -> reader.find(Optional.empty(), folder))
                    .hasMessageContaining(folder.resolve("mainstay.yaml").toString())
                    .hasMessageContaining("/etc/mainstay/mainstay.yaml");
        }
        assertThatThrownBy(() -> reader.read(folder))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        wrong -> assertThat(wrong.code()).isEqualTo(ErrorCode.CONFIG_INVALID));
    }

    @Test
    void aLiteralPassphraseThatEverybodyCanReadIsWarnedAbout(@TempDir Path folder)
            throws IOException {
        Path file = folder.resolve("mainstay.yaml");
        ConfigurationReader reader = new ConfigurationReader(Map.of("P", "p"));
        Files.writeString(file, SMALL + "  key: { passphrase: letmein }\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(reader.find(Optional.empty(), folder).warnings())
                .singleElement()
                .satisfies(w -> assertThat(w.path()).isEqualTo("repository.key.passphrase"))
                .satisfies(w -> assertThat(w.toString()).doesNotContain("letmein"));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThat(reader.read(file).warnings()).isEmpty();
        Files.writeString(file, SMALL + "  key: { passphrase: ${P} }\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(reader.read(file).warnings()).isEmpty();
    }
}
