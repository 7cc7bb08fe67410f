package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.cluster.ConfigurationIncludes.Syntax;
import dev.mainstay.postgres.cluster.ConfigurationText.Reference;

import org.junit.jupiter.api.Test;

class ConfigurationTextTest {
    private static Reference of(Reference.Kind kind, String path, Syntax syntax) {
        return new Reference(kind, path, syntax);
    }

    @Test
    void findsTheIncludesOfSettings() {
        String text =
                """
                # include 'commented.conf'
                work_mem = 'include'
                include 'one.conf'\t# why
                  INCLUDE_IF_EXISTS='two''s \\'quoted\\'.conf'
                include_dir = conf.d
                include'glued.conf'
                include 'octal\\0401.conf'
                includes 'no.conf'
                include_dirs.x = 'no'
                include ''
                include = 'windows.conf'\r
                """;
        assertThat(ConfigurationText.settings(text))
                .containsExactly(
                        of(Reference.Kind.FILE, "one.conf", Syntax.SETTINGS),
                        of(Reference.Kind.FILE_IF_EXISTS, "two's 'quoted'.conf", Syntax.SETTINGS),
                        of(Reference.Kind.DIRECTORY, "conf.d", Syntax.SETTINGS),
                        of(Reference.Kind.FILE, "glued.conf", Syntax.SETTINGS),
                        of(Reference.Kind.FILE, "octal 1.conf", Syntax.SETTINGS),
                        of(Reference.Kind.FILE, "windows.conf", Syntax.SETTINGS));
    }

    @Test
    void findsTheIncludesAndListsOfRules() {
        String text =
                """
                # include commented
                local all "@quoted" trust
                local a,@bases @"two users" trust # @comment
                host all,\\
                @continued all 127.0.0.1/32 trust
                local all @ trust
                include "other file.conf"
                include_if_exists maybe
                include_dir hba.d
                "include" quoted
                """;
        Reference bases = of(Reference.Kind.FILE, "bases", Syntax.NAMES);
        Reference users = of(Reference.Kind.FILE, "two users", Syntax.NAMES);
        Reference continued = of(Reference.Kind.FILE, "continued", Syntax.NAMES);
        assertThat(ConfigurationText.rules(text, true))
                .containsExactly(
                        bases,
                        users,
                        continued,
                        of(Reference.Kind.FILE, "other file.conf", Syntax.RULES),
                        of(Reference.Kind.FILE_IF_EXISTS, "maybe", Syntax.RULES),
                        of(Reference.Kind.DIRECTORY, "hba.d", Syntax.RULES));
        assertThat(ConfigurationText.rules(text, false)).containsExactly(bases, users, continued);
    }
}
