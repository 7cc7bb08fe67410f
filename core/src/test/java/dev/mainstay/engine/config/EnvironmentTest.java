package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.storage.remote.S3Place;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Keys that the environment gives, and configurations without a file.
class EnvironmentTest {
    @TempDir Path folder = Path.of("");

    private Configuration withoutFile(String... variables) {
        return new ConfigurationReader(map(variables)).find(Optional.empty(), folder);
    }

    private static Map<String, String> map(String... variables) {
        Map<String, String> map = new HashMap<>();
        for (int i = 0; i < variables.length; i += 2) {
            map.put(variables[i], variables[i + 1]);
        }
        return map;
    }

    private void refused(ErrorCode code, String[] variables, String... parts) {
        assertThatThrownBy(() -> withoutFile(variables))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        refused -> {
                            assertThat(refused.code()).isEqualTo(code);
                            assertThat(refused.getMessage()).contains(parts);
                        });
    }

    @Test
    void aVariableStandsInTheSteadOfItsKeyInTheFile() throws IOException {
        Files.writeString(
                folder.resolve("mainstay.yaml"),
                """
                repository: { url: file:///r, key: { file: k } }
                sources:
                  orders_2: { postgres: { url: "postgresql://h/db", process-max: 2 } }
                """);
        Configuration configuration =
                withoutFile(
                        "MAINSTAY__REPOSITORY__URL", "file:///else # where",
                        "MAINSTAY__REPOSITORY__KEY", "${not an expression}",
                        "MAINSTAY__REPOSITORY__KEY__PASSPHRASE", "x: {y} ${z}",
                        "MAINSTAY__SOURCES__ORDERS_2__POSTGRES__PROCESS_MAX", "7",
                        "MAINSTAY__SOURCES__STOCK__POSTGRES__URL", "postgresql://stock/db",
                        "MAINSTAY__SERVER__SCHEDULES", "off");
        assertThat(configuration.repository().url()).isEqualTo("file:///else # where");
        assertThat(configuration.repository().requireKey())
                .isEqualTo(new KeySource.Passphrase(Secret.of("x: {y} ${z}")));
        assertThat(configuration.sources().keySet()).containsExactly("orders_2", "stock");
        assertThat(configuration.source("orders_2").postgres().processMax()).isEqualTo(7);
        assertThat(configuration.server().schedules()).isEmpty();
    }

    @Test
    void whatIsWrongWithAVariableNamesIt() {
        refused(
                ErrorCode.CONFIG_INVALID,
                new String[] {
                    "MAINSTAY__REPOSITORY__URL", "file:///r",
                    "MAINSTAY__REPOSITORY__PACK_SIZE", "huge",
                    "MAINSTAY__REPOSITORY__ENCRYPTOIN", "none"
                },
                "environment variable MAINSTAY__REPOSITORY__PACK_SIZE: repository.pack-size: ",
                "environment variable MAINSTAY__REPOSITORY__ENCRYPTOIN: unknown key",
                "did you mean 'encryption'?");
    }

    @Test
    void withoutFileAndVariablesThereIsNoConfiguration() {
        refused(
                ErrorCode.CONFIG_MISSING,
                new String[] {"DB_HOST", "db", "AWS_REGION", "x"},
                "no configuration");
    }

    @Test
    void namesThatOperatorsHaveAreAWholeConfiguration() {
        Configuration configuration =
                withoutFile(
                        "BACKUP_DIRECTORY", "/var/backups",
                        "BACKUP_BUCKET", "far",
                        "BACKUP_S3_REGION", "eu-central-1",
                        "BACKUP_ENCRYPTION", "true",
                        "BACKUP_COMPRESSION", "true",
                        "BACKUP_RETENTION_DAYS", "30",
                        "BACKUP_STRATEGY", "hourly",
                        "WAL_ARCHIVE_DIR", "/var/wal",
                        "DB_HOST", "db.example.org",
                        "DB_NAME", "orders",
                        "DB_USER", "backup",
                        "PGPASSWORD", "geheim",
                        "DR_ENABLED", "false");
        assertThat(configuration.repository().url()).isEqualTo("file:///var/backups");
        assertThat(configuration.repository().requireKey())
                .isEqualTo(new KeySource.KeyFile(Path.of("/var/lib/mainstay/repository.key")));
        CopySettings cloud = configuration.copy("cloud");
        assertThat(cloud.repository().url()).isEqualTo("s3://far/mainstay");
        assertThat(cloud.repository().place())
                .get()
                .isInstanceOfSatisfying(
                        S3Place.class,
                        place -> assertThat(place.region()).contains("eu-central-1"));
        SourceSettings orders = configuration.source("orders");
        assertThat(orders.postgres().url())
                .isEqualTo("postgresql://backup@db.example.org:5432/orders");
        assertThat(orders.postgres().password()).contains(Secret.of("geheim"));
        assertThat(orders.postgres().receiver().spool()).isEqualTo(Path.of("/var/wal"));
        assertThat(orders.retention().full().days()).isEqualTo(OptionalInt.of(30));
        assertThat(orders.retention().incremental().days()).isEqualTo(OptionalInt.of(30));
        assertThat(orders.retention().walDays()).isEqualTo(OptionalInt.of(30));
        assertThat(orders.schedules())
                .filteredOn(each -> each.work() == ScheduledWork.INCREMENTAL)
                .singleElement()
                .satisfies(each -> assertThat(each.cron()).isEqualTo("0 1-23 * * *"));
    }

    @ParameterizedTest
    @CsvSource({
        "BACKUP_DIR,/b,,,file:///b",
        "BACKUP_S3_BUCKET,far,,,s3://far/mainstay",
        "BACKUP_BUCKET,far,BACKUP_GCS_PROJECT,p,gs://far/mainstay",
        "BACKUP_BUCKET,far,BACKUP_AZURE_ACCOUNT,acc,az://acc/far/mainstay"
    })
    void wherePlacesAreNamed(String name, String value, String other, String its, String url) {
        Map<String, String> environment = new HashMap<>(Map.of(name, value));
        if (other != null) {
            environment.put(other, its);
        }
        assertThat(
                        new ConfigurationReader(environment)
                                .find(Optional.empty(), folder)
                                .repository()
                                .url())
                .isEqualTo(url);
    }

    @ParameterizedTest
    @ValueSource(strings = {"BACKUP_RETENTION_DAYS", "BACKUP_RETENTION", "RETENTION_DAYS"})
    void retentionHasThreeNames(String name) {
        Configuration configuration =
                withoutFile("BACKUP_DIR", "/b", "DB_HOST", "db", "DB_NAME", "no name!", name, "7");
        assertThat(configuration.source("main").retention().full().days())
                .isEqualTo(OptionalInt.of(7));
    }

    @Test
    void whatIsTurnedOffIsOff() {
        Configuration configuration =
                withoutFile(
                        "BACKUP_DIR", "/b",
                        "BACKUP_BUCKET", "far",
                        "BACKUP_S3_ENABLED", "false",
                        "BACKUP_ENCRYPTION", "false",
                        "BACKUP_ENABLED", "false",
                        "DB_HOST", "db");
        assertThat(configuration.copies()).isEmpty();
        assertThat(configuration.repository().encrypted()).isFalse();
        assertThat(configuration.source("main").schedules()).isEmpty();
        assertThat(configuration.server().schedules()).isEmpty();
    }

    @Test
    void slackAndPagerDutyAreToldOfEverythingGrave() {
        NotificationSettings told =
                withoutFile(
                                "BACKUP_DIR", "/b",
                                "SLACK_WEBHOOK_URL", "https://hooks.example.org/geheim",
                                "PAGERDUTY_INTEGRATION_KEY", "geheim")
                        .server()
                        .watch()
                        .notifications();
        assertThat(told.route(Severity.WARNING)).containsExactlyInAnyOrder("slack", "pagerduty");
        assertThat(told.channels().values())
                .hasAtLeastOneElementOfType(ChannelSettings.Slack.class)
                .hasAtLeastOneElementOfType(ChannelSettings.PagerDuty.class);
        assertThat(told.toString()).doesNotContain("geheim");
        refused(
                ErrorCode.CONFIG_INVALID,
                new String[] {"BACKUP_DIR", "/b", "SLACK_WEBHOOK_URL", "nothing"},
                "no https url");
    }

    @Test
    void whatIsNotThereYetIsRefusedAndAllOfItAtOnce() {
        refused(
                ErrorCode.CONFIG_INVALID,
                new String[] {
                    "BACKUP_DIR", "/b",
                    "BACKUP_COMPRESSION", "gzip",
                    "DR_AUTO_FAILOVER_ENABLED", "true",
                    "REPLICA_HOSTS", "a,b",
                    "BACKUP_ENCRYPTION", "perhaps"
                },
                "the environment has 4 errors",
                "BACKUP_COMPRESSION: 'gzip'",
                "DR_AUTO_FAILOVER_ENABLED: Mainstay does not do that yet",
                "REPLICA_HOSTS",
                "'perhaps' is none of true and false");
    }

    @ParameterizedTest
    @ValueSource(strings = {"continuous", "weekly", "daily", "hourly", "every-15-minutes"})
    void aPresetOfSchedulesHasTimesForEverythingAndGivesWayToKeys(String preset) {
        SourceSettings plain =
                withoutFile("BACKUP_DIR", "/b", "DB_HOST", "db", "BACKUP_STRATEGY", preset)
                        .source("main");
        assertThat(plain.schedules())
                .extracting(ScheduleSettings::work)
                .containsExactlyInAnyOrder(
                        ScheduledWork.FULL,
                        ScheduledWork.INCREMENTAL,
                        ScheduledWork.EXPIRE,
                        ScheduledWork.VERIFY);
        SourceSettings changed =
                withoutFile(
                                "MAINSTAY__REPOSITORY__URL", "file:///b",
                                "MAINSTAY__SOURCES__MAIN__POSTGRES__URL", "postgresql://h",
                                "MAINSTAY__SOURCES__MAIN__SCHEDULES__PRESET", preset,
                                "MAINSTAY__SOURCES__MAIN__SCHEDULES__VERIFY", "off")
                        .source("main");
        assertThat(changed.schedules())
                .filteredOn(each -> each.work() == ScheduledWork.FULL)
                .extracting(ScheduleSettings::cron)
                .isEqualTo(
                        plain.schedules().stream()
                                .filter(each -> each.work() == ScheduledWork.FULL)
                                .map(ScheduleSettings::cron)
                                .toList());
        assertThat(changed.schedules()).hasSize(3);
    }

    @Test
    void aPresetThatIsNoneNamesThoseThatAre() {
        refused(
                ErrorCode.CONFIG_INVALID,
                new String[] {"BACKUP_DIR", "/b", "DB_HOST", "db", "BACKUP_STRATEGY", "sometimes"},
                "environment variable BACKUP_STRATEGY",
                "is none of off, continuous, daily, every-15-minutes, hourly, weekly");
    }
}
