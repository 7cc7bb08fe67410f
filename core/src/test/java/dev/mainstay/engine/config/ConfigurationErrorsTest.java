package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

class ConfigurationErrorsTest {
    private static MainstayException errors(String yaml) {
        return catchThrowableOfType(
                MainstayException.class,
                () ->
                        new ConfigurationReader(Map.of())
                                .parse("m.yaml", yaml, Path.of("/etc/mainstay")));
    }

    private static List<String> lines(String yaml) {
        return String.valueOf(errors(yaml).getMessage())
                .lines()
                .skip(1)
                .map(String::strip)
                .toList();
    }

    @Test
    void allErrorsAreToldAtOnceInTheOrderOfTheFile() {
        String yaml =
                """
                repository:
                  url: file:///r
                  encryption: nonsense
                  pack-size: 1TiB
                sources:
                  orders:
                    postgres:
                      url: http://elsewhere
                      proces-max: 2
                      receiver: { spool-limit: 1MiB, slot: Big }
                    restore: { timeout: 5y }
                  stock:
                    postgres: { url: "postgresql://h/db", password: "${NOBODY_SET_THIS}" }
                server: { listen: nowhere, tls: { certificate: c.pem } }
                """;
        MainstayException all = errors(yaml);
        assertThat(all.code()).isEqualTo(ErrorCode.CONFIG_INVALID);
        assertThat(all.getMessage()).startsWith("m.yaml has 10 errors:\n");
        assertThat(lines(yaml))
                .satisfiesExactly(
                        line -> assertThat(line).contains("m.yaml:3:15", "repository.encryption"),
                        line -> assertThat(line).contains("m.yaml:4:14", "repository.pack-size"),
                        line ->
                                assertThat(line)
                                        .contains("m.yaml:8:12", "sources.orders.postgres.url"),
                        line ->
                                assertThat(line)
                                        .startsWith("[" + ErrorCode.CONFIG_KEY_UNKNOWN.id() + "]")
                                        .contains(
                                                "did you mean 'process-max'?", "known here: url,"),
                        line -> assertThat(line).contains("spool-limit"),
                        line -> assertThat(line).contains("slot: 'Big'"),
                        line -> assertThat(line).contains("m.yaml:11:25", "timeout"),
                        line ->
                                assertThat(line)
                                        .startsWith(
                                                "[" + ErrorCode.CONFIG_VARIABLE_UNSET.id() + "]")
                                        .contains("NOBODY_SET_THIS"),
                        line -> assertThat(line).contains("listen"),
                        line -> assertThat(line).contains("server.tls: needs the key 'key'"));
    }

    @Test
    void whatMayOnlyFollowFromAnotherErrorIsNotTold() {
        // Without tls this address would be refused, without url the source would be.
        MainstayException one =
                errors(
                        """
                        repository: { url: file:///r, encryption: none }
                        server: { listen: "0.0.0.0:8443", tls: { certificate: c.pem, kee: k.pem } }
                        """);
        assertThat(one.code()).isEqualTo(ErrorCode.CONFIG_KEY_UNKNOWN);
        assertThat(one.getMessage()).startsWith("m.yaml:2:").contains("'server.tls.kee'");
        assertThat(
                        errors(
                                        """
                                        repository: { url: nonsense }
                                        copies: { far: { url: file:///far } }
                                        """)
                                .getMessage())
                .contains("repository.url")
                .doesNotContain("copies", "errors");
    }

    @Test
    void aRepositoryThatIsWrongHidesNothingElse() {
        assertThat(
                        lines(
                                """
                                repository: 5
                                verify: { every: never }
                                sources: { "o r": { postgres: { url: "postgresql://h" } } }
                                """))
                .hasSize(3);
    }

    @Test
    void whatPruneIsToldIsLookedAt() {
        assertThat(
                        lines(
                                """
                                repository: { url: "file:///r", encryption: none }
                                prune: { compact-below: 40, older-than: soon, budget: 1KiB }
                                """))
                .hasSize(3);
        assertThat(
                        errors(
                                """
                                repository: { url: "file:///r", encryption: none }
                                prune: { compact-below: off }
                                """))
                .isNull();
    }

    /// Each of these is an error by itself, wherever it stands beside others.
    private static final Map<String, String> FAULTS =
            Map.of(
                    "file:///r", "nonsense",
                    "zstd:3", "lzma",
                    "64MiB", "7",
                    "postgresql://a", "mysql://a",
                    "postgresql://b", "[x]",
                    "process-max: 2", "process-max: 0",
                    "slot: s", "slto: s",
                    "status-interval: 5s", "status-interval: soon",
                    "every: 30d", "every: 1h",
                    "127.0.0.1:0", "127.0.0.1:99999");

    private static final String GOOD =
            """
            repository: { url: "file:///r", encryption: none, compression: "zstd:3", pack-size: 64MiB }
            verify: { every: 30d }
            prune: { compact-below: 40%, older-than: 30d, budget: 1GiB }
            sources:
              a:
                postgres:
                  url: postgresql://a
                  process-max: 2
                  receiver: { slot: s, status-interval: 5s }
              b:
                postgres:
                  url: postgresql://b
            server: { listen: "127.0.0.1:0" }
            """;

    @ParameterizedTest
    @ValueSource(longs = {1, 20261122})
    void ofManyErrorsEachIsToldOnceAndNoOther(long seed) {
        Random random = new Random(seed);
        assertThat(errors(GOOD)).isNull();
        for (int round = 0; round < 300; round++) {
            List<String> places = new ArrayList<>(FAULTS.keySet());
            Collections.sort(places);
            Collections.shuffle(places, random);
            int count = 2 + random.nextInt(places.size() - 1);
            String yaml = GOOD;
            for (String place : places.subList(0, count)) {
                yaml = yaml.replace(place, FAULTS.get(place));
            }
            assertThat(lines(yaml)).as("seed %d round %d:%n%s", seed, round, yaml).hasSize(count);
        }
    }
}
