package dev.mainstay.engine.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;

class ConfigurationPropertyTest {
    private static final String LETTERS = "ab{}:,[]#&*!|>'\"%@` \\$?-\t\u00e9\u4e2d=/";

    private static String word(Random random, String letters, int most) {
        StringBuilder word = new StringBuilder();
        for (int i = random.nextInt(most) + 1; i > 0; i--) {
            word.append(letters.charAt(random.nextInt(letters.length())));
        }
        return word.toString();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 20261121})
    void whateverAVariableHoldsArrivesUnchanged(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            String secret = word(random, LETTERS, 30);
            String yaml =
                    switch (random.nextInt(3)) {
                        case 0 -> "repository: { url: file:///r, key: { passphrase: ${P} } }";
                        case 1 -> "repository:\n  url: file:///r\n  key:\n    passphrase: ${P}\n";
                        default -> "repository: { url: file:///r, key: { passphrase: \"${P}\" } }";
                    };
            assertThat(parse(yaml, Map.of("P", secret)).repository().requireKey())
                    .as("seed %d round %d: %s", seed, round, secret)
                    .isEqualTo(new KeySource.Passphrase(Secret.of(secret)));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {2, 20261122})
    void rubbishIsRefusedWithANumberAndNothingElse(long seed) {
        Random random = new Random(seed);
        String good =
                """
                repository: { url: file:///r, key: { passphrase: ${P:x} }, pack-size: 64MiB }
                sources:
                  a:
                    postgres:
                      url: postgresql://h
                      receiver: { slot: s, status-interval: 5s }
                """;
        for (int round = 0; round < 3000; round++) {
            StringBuilder yaml = new StringBuilder(good);
            for (int i = random.nextInt(4) + 1; i > 0; i--) {
                int at = random.nextInt(yaml.length());
                if (random.nextBoolean()) {
                    yaml.insert(at, word(random, LETTERS + "\n", 3));
                } else {
                    yaml.delete(at, Math.min(yaml.length(), at + 1 + random.nextInt(5)));
                }
            }
            try {
                parse(yaml.toString(), Map.of());
            } catch (MainstayException expected) {
                assertThat(expected.code().number()).isBetween(401, 404);
            } catch (RuntimeException other) {
                throw new AssertionError("seed " + seed + " round " + round + "\n" + yaml, other);
            }
        }
    }

    @Test
    void everySingleMistypedLetterOfAKeyFindsItsKey() {
        List<String> keys = List.of("url", "key", "encryption", "compression", "pack-size");
        Random random = new Random(3);
        for (String key : keys) {
            for (int i = 0; i < key.length(); i++) {
                String typo =
                        key.substring(0, i)
                                + (char) ('a' + random.nextInt(26))
                                + key.substring(i + 1);
                assertThat(NearestName.of(typo, keys)).contains(key);
            }
        }
        assertThat(NearestName.of("elephant", keys)).isEmpty();
        assertThat(NearestName.distance("ab", "ba")).isEqualTo(1);
        assertThat(NearestName.distance("", "abc")).isEqualTo(3);
    }

    @Test
    void durationsAreReadInWordsAndInIso() {
        assertThat(Durations.parse("500ms")).isEqualTo(Duration.ofMillis(500));
        assertThat(Durations.parse("5s")).isEqualTo(Duration.ofSeconds(5));
        assertThat(Durations.parse("10 min")).isEqualTo(Duration.ofMinutes(10));
        assertThat(Durations.parse("2h")).isEqualTo(Duration.ofHours(2));
        assertThat(Durations.parse("7d")).isEqualTo(Duration.ofDays(7));
        assertThat(Durations.parse("2w")).isEqualTo(Duration.ofDays(14));
        assertThat(Durations.parse("PT1H30M")).isEqualTo(Duration.ofMinutes(90));
        for (String wrong :
                List.of(
                        "",
                        "5",
                        "s",
                        "-5s",
                        "PT-5S",
                        "5 parsecs",
                        "99999999999999999999s",
                        "9223372036854775807w")) {
            assertThatThrownBy(() -> Durations.parse(wrong))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static Configuration parse(String yaml, Map<String, String> environment) {
        return new ConfigurationReader(environment).parse("m.yaml", yaml, Path.of("/etc"));
    }
}
