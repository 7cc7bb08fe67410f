package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A configuration without any file, from the variables that backup scripts and their operators
/// have used so far; `.env.example` lists them. They count only where there is no file: which of
/// the two is meant would else be anybody's guess.
final class OperatorsEnvironment {
    private static final List<String> DIRECTORY = List.of("BACKUP_DIRECTORY", "BACKUP_DIR");
    private static final List<String> BUCKET = List.of("BACKUP_BUCKET", "BACKUP_S3_BUCKET");
    private static final List<String> RETENTION =
            List.of("BACKUP_RETENTION_DAYS", "BACKUP_RETENTION", "RETENTION_DAYS");
    private static final List<String> REGION = List.of("BACKUP_S3_REGION", "AWS_REGION");

    /// Names of what is not there yet.
    private static final List<String> MISSING =
            List.of(
                    "TEST_DATABASE_URL",
                    "RECOVERY_DB_HOST",
                    "RECOVERY_DB_PASSWORD",
                    "RECOVERY_BUCKET",
                    "REPLICATION_ENABLED",
                    "REPLICATION_MODE",
                    "REPLICA_HOSTS",
                    "DR_ENABLED",
                    "DR_AUTO_FAILOVER_ENABLED",
                    "DR_FAILOVER_THRESHOLD_MINUTES");

    private static final Set<String> NO = Set.of("", "false", "off", "no", "0");
    private static final Set<String> YES = Set.of("true", "on", "yes", "1");

    private final Map<String, String> environment;
    private final List<EnvironmentKeys.Key> keys = new ArrayList<>();
    private final List<MainstayException> errors = new ArrayList<>();

    private OperatorsEnvironment(Map<String, String> environment) {
        this.environment = environment;
    }

    /// Whether it says where a repository is.
    static boolean isIn(Map<String, String> environment) {
        OperatorsEnvironment here = new OperatorsEnvironment(environment);
        return here.given(DIRECTORY).isPresent() || here.given(BUCKET).isPresent();
    }

    /// @throws MainstayException CONFIG_INVALID, saying all that cannot be done
    static List<EnvironmentKeys.Key> keys(Map<String, String> environment) {
        OperatorsEnvironment here = new OperatorsEnvironment(environment);
        here.repository();
        here.encryption();
        here.compression();
        here.retention();
        here.source();
        here.channels();
        here.missing();
        if (!here.errors.isEmpty()) {
            throw ConfigurationErrors.together("the environment", here.errors);
        }
        return here.keys;
    }

    /// The variable of these that has a value.
    private Optional<String> given(List<String> names) {
        return names.stream()
                .filter(name -> !environment.getOrDefault(name, "").isEmpty())
                .findFirst();
    }

    private Optional<String> given(String name) {
        return given(List.of(name));
    }

    private String value(String variable) {
        return environment.getOrDefault(variable, "");
    }

    private void put(String variable, String path, String value) {
        keys.add(EnvironmentKeys.Key.of(variable, path, value));
    }

    private void refuse(String variable, String problem, String hint) {
        errors.add(
                new MainstayException(
                        ErrorCode.CONFIG_INVALID,
                        "environment variable " + variable + ": " + problem,
                        hint,
                        null));
    }

    private Optional<Boolean> truth(String variable) {
        String text = value(variable);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        if (YES.contains(text) || NO.contains(text)) {
            return Optional.of(YES.contains(text));
        }
        refuse(variable, "'" + text + "' is none of true and false", "correct it");
        return Optional.empty();
    }

    /// A folder, or a bucket; of both the bucket is a copy.
    private void repository() {
        Optional<String> directory = given(DIRECTORY);
        boolean cloud = truth("BACKUP_S3_ENABLED").orElse(true);
        Optional<String> bucket = cloud ? given(BUCKET) : Optional.empty();
        directory.ifPresent(name -> put(name, "repository.url", "file://${" + name + "}"));
        String place = directory.isPresent() ? "copies.cloud" : "repository";
        bucket.ifPresent(name -> bucket(name, place));
        if (directory.isEmpty() && bucket.isEmpty()) {
            refuse(
                    "BACKUP_S3_ENABLED",
                    "without the bucket there is no place for backups",
                    "set BACKUP_DIRECTORY");
        }
    }

    private void bucket(String name, String place) {
        if (given("BACKUP_AZURE_ACCOUNT").isPresent()) {
            put(name, place + ".url", "az://${BACKUP_AZURE_ACCOUNT}/${" + name + "}/mainstay");
        } else if (given("BACKUP_GCS_PROJECT").isPresent()) {
            put(name, place + ".url", "gs://${" + name + "}/mainstay");
        } else {
            put(name, place + ".url", "s3://${" + name + "}/mainstay");
            given(REGION).ifPresent(region -> put(region, place + ".region", "${" + region + "}"));
        }
    }

    private void encryption() {
        if (!truth("BACKUP_ENCRYPTION").orElse(true)) {
            put("BACKUP_ENCRYPTION", "repository.encryption", "none");
        } else if (given("MAINSTAY_PASSPHRASE").isPresent()) {
            put("MAINSTAY_PASSPHRASE", "repository.key.passphrase", "${MAINSTAY_PASSPHRASE}");
        } else {
            put(
                    "MAINSTAY_KEY_FILE",
                    "repository.key.file",
                    "${MAINSTAY_KEY_FILE:/var/lib/mainstay/repository.key}");
        }
    }

    private void compression() {
        String text = value("BACKUP_COMPRESSION");
        if (!text.isEmpty() && !text.equals("zstd") && !YES.contains(text)) {
            refuse(
                    "BACKUP_COMPRESSION",
                    "'" + text + "' is not there: backups are compressed by zstd",
                    "set it to zstd, or unset it");
        }
    }

    private void retention() {
        given(RETENTION)
                .ifPresent(
                        name -> {
                            for (String kind : List.of("full", "incremental", "wal")) {
                                put(name, "retention." + kind + ".days", "${" + name + "}");
                            }
                        });
    }

    /// One source, named after its database.
    private void source() {
        if (given("DB_HOST").isEmpty()) {
            return;
        }
        String name = Sections.isSourceName(value("DB_NAME")) ? value("DB_NAME") : "main";
        List<String> source = List.of("sources", name);
        put(
                "DB_HOST",
                source,
                "postgres.url",
                "postgresql://${DB_USER:postgres}@${DB_HOST}:${DB_PORT:5432}/${DB_NAME:postgres}");
        if (given("PGPASSWORD").isPresent()) {
            put("PGPASSWORD", source, "postgres.password", "${PGPASSWORD}");
        }
        if (given("WAL_ARCHIVE_DIR").isPresent()) {
            put("WAL_ARCHIVE_DIR", source, "postgres.receiver.spool", "${WAL_ARCHIVE_DIR}");
        }
        if (!truth("BACKUP_ENABLED").orElse(true)) {
            put("BACKUP_ENABLED", source, "schedules", "off");
            put("BACKUP_ENABLED", "server.schedules", "off");
        } else if (given("BACKUP_STRATEGY").isPresent()) {
            put("BACKUP_STRATEGY", source, "schedules", "${BACKUP_STRATEGY}");
        }
    }

    private void put(String variable, List<String> source, String path, String value) {
        List<String> all = new ArrayList<>(source);
        all.addAll(List.of(path.split("\\.", -1)));
        keys.add(new EnvironmentKeys.Key(variable, all, value));
    }

    /// They are told of everything.
    private void channels() {
        channel("SLACK_WEBHOOK_URL", "slack", "url");
        channel("PAGERDUTY_INTEGRATION_KEY", "pagerduty", "routing-key");
    }

    private void channel(String variable, String type, String key) {
        if (given(variable).isPresent()) {
            String channel = "server.notifications.channels." + type;
            put(variable, channel + ".type", type);
            put(variable, channel + "." + key, "${" + variable + "}");
        }
    }

    /// What somebody relies on and nobody does must not be passed over.
    private void missing() {
        for (String name : MISSING) {
            if (!NO.contains(value(name))) {
                refuse(name, "Mainstay does not do that yet", "unset it");
            }
        }
    }
}
