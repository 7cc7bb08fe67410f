package dev.mainstay.engine.restore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.wal.WalTarget;

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
        assertThat(RecoverySettings.quote("a\nrestore_command = 'x'\r"))
                .isEqualTo("'a\\nrestore_command = ''x''\\r'");
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

    /// Every byte but the replaced settings stays, also where it is no UTF-8, and a carriage return
    /// is part of a value.
    @Test
    void whatIsNotReplacedStaysAsItWas() {
        String odd = "a = 'x\rrestore_command = y'";
        String include = "\tinclude 'z' # \u00fc\u0085";
        String replaced = "\rREstore_Command=1";
        String before = String.join("\n", odd, "", include, replaced);
        assertThat(RecoverySettings.rewrite(before, Map.of("a_b", "\u00fc"), "now").split("\n", -1))
                .containsExactly(
                        odd,
                        "",
                        include,
                        "# before the restore: " + replaced,
                        "# now",
                        "a_b = '\u00c3\u00bc'",
                        "");
        assertThat(RecoverySettings.rewrite("", Map.of(), "now")).isEqualTo("# now\n");
    }

    private static Map<String, String> of(RestoreTarget target, int major) {
        return RecoverySettings.of(
                new RestoreRequest.Recovery(
                        target,
                        new TimelineChoice.Latest(),
                        RestoreRequest.Action.PROMOTE,
                        false,
                        false,
                        "fetch %f %p"),
                "3",
                major);
    }

    /// A server refuses an empty target that comes after one with a value.
    @Test
    void theOneTargetComesLastAndAllOthersAreEmptied() {
        Map<String, String> settings =
                of(new RestoreTarget.At(new WalTarget.AtXid(4_000_000_000L, false)), 17);
        assertThat(List.copyOf(settings.keySet()))
                .endsWith(
                        "recovery_target",
                        "recovery_target_lsn",
                        "recovery_target_name",
                        "recovery_target_time",
                        "recovery_target_xid");
        assertThat(settings)
                .containsEntry("recovery_target_xid", "4000000000")
                .containsEntry("recovery_target_inclusive", "off")
                .containsEntry("recovery_target_timeline", "3")
                .containsEntry("archive_mode", "off");
        for (String emptied :
                List.of(
                        "recovery_target",
                        "recovery_target_lsn",
                        "recovery_target_name",
                        "recovery_target_time",
                        "recovery_end_command",
                        "archive_cleanup_command",
                        "primary_conninfo",
                        "primary_slot_name")) {
            assertThat(settings).containsEntry(emptied, "");
        }
    }

    @Test
    void theTriggerFileIsEmptiedOnlyWhereItExists() {
        assertThat(of(new RestoreTarget.Latest(), 15)).containsEntry("promote_trigger_file", "");
        assertThat(of(new RestoreTarget.Latest(), 16)).doesNotContainKey("promote_trigger_file");
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
