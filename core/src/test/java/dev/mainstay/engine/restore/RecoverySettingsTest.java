package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// What a restored server is told.
class RecoverySettingsTest {
    @Test
    void valuesSurviveTheConfigurationFilesQuoting() {
        assertThat(RecoverySettings.quote("it's C:\\x")).isEqualTo("'it''s C:\\\\x'");
    }

    @Test
    void settingsOfAnEarlierRecoveryBecomeComments() {
        String before =
                """
                # Do not edit
                work_mem = '8MB'
                Primary_ConnInfo = 'host=a'
                recovery_target_name 'old'
                archive_mode = on
                """;
        assertThat(RecoverySettings.rewrite(before, Map.of("archive_mode", "off"), "restored now"))
                .isEqualTo(
                        """
                        # Do not edit
                        work_mem = '8MB'
                        # before the restore: Primary_ConnInfo = 'host=a'
                        # before the restore: recovery_target_name 'old'
                        # before the restore: archive_mode = on
                        # restored now
                        archive_mode = 'off'
                        """);
    }

    @Test
    void tablespacesAreRemappedAndOddNamesEscaped() {
        String map = "16384 /old/a\n16385 /old/with\\\nbreak\n16386 /kept\n";
        assertThat(
                        Finish.remapped(
                                map,
                                List.of(
                                        new RestorePlan.Tablespace(
                                                "16384", "/old/a", Path.of("/new/a\\b")),
                                        new RestorePlan.Tablespace(
                                                "16385", "/old/with\nbreak", Path.of("/new/c")))))
                .isEqualTo("16384 /new/a\\\\b\n16385 /new/c\n16386 /kept\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "base/../../x", "/etc/../x", "a//b", "a/./b", "a/"})
    void pathsThatLeadElsewhereAreRefused(String path) {
        assertThatThrownBy(() -> Places.demandSafe(path)).isInstanceOf(MainstayException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "PG_VERSION", "base/1/1259", "/etc/postgresql/17/pg_hba.conf"})
    void ordinaryPathsAreNot(String path) {
        Places.demandSafe(path);
    }
}
