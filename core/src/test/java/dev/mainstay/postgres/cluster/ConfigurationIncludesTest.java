package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.mainstay.postgres.cluster.ConfigurationFiles.Unreadable;
import dev.mainstay.postgres.cluster.ConfigurationIncludes.Syntax;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class ConfigurationIncludesTest {
    @TempDir private Path home;
    private Path data;
    private Path etc;

    @BeforeEach
    void makeDirectories() throws IOException {
        home = home.toRealPath();
        data = Files.createDirectory(home.resolve("data"));
        etc = Files.createDirectory(home.resolve("etc"));
    }

    private static Path write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    private ConfigurationFiles follow(Path file, Syntax syntax) {
        ConfigurationIncludes includes = new ConfigurationIncludes(data, true);
        includes.follow(file.toString(), syntax);
        return includes.result();
    }

    @Test
    void followsIncludesOutOfAndThroughTheDataDirectory() throws IOException {
        Path outside = write(etc.resolve("outside.conf"), "include 'deeper/more.conf'");
        Path more = write(etc.resolve("deeper/more.conf"), "include '../outside.conf'");
        Path first = write(etc.resolve("conf.d/1.conf"), "");
        write(etc.resolve("conf.d/.hidden.conf"), "");
        write(etc.resolve("conf.d/note.txt"), "");
        write(etc.resolve("conf.d/directory.conf/x"), "");
        write(data.resolve("inner.conf"), "include '" + outside + "'");
        Path main =
                write(
                        data.resolve("postgresql.conf"),
                        "include 'inner.conf'\ninclude_dir '" + etc.resolve("conf.d") + "'\n");
        ConfigurationFiles files = follow(main, Syntax.SETTINGS);
        assertThat(files.readable()).containsExactly(first, more, outside);
        assertThat(files.unreadable()).isEmpty();
    }

    @Test
    void saysWhatItCannotReadAndWhy() throws IOException {
        Path main =
                write(
                        etc.resolve("postgresql.conf"),
                        """
                        include_if_exists 'optional.conf'
                        include 'missing.conf'
                        include_dir 'missing.d'
                        include '.'
                        """);
        ConfigurationFiles files = follow(main, Syntax.SETTINGS);
        assertThat(files.readable()).containsExactly(main);
        assertThat(files.unreadable())
                .containsExactly(
                        new Unreadable(etc.toString(), "no regular file"),
                        new Unreadable(etc.resolve("missing.conf").toString(), "does not exist"),
                        new Unreadable(etc.resolve("missing.d").toString(), "does not exist"));
    }

    @Test
    void linksLeadInsideOrOutside() throws IOException {
        Path target = write(etc.resolve("target.conf"), "");
        Path link = Files.createSymbolicLink(data.resolve("link.conf"), target);
        Path alias = Files.createSymbolicLink(home.resolve("alias"), data);
        write(data.resolve("inner.conf"), "");
        assertThat(follow(link, Syntax.SETTINGS).readable()).as("a backup follows it").isEmpty();
        assertThat(follow(alias.resolve("inner.conf"), Syntax.SETTINGS).readable()).isEmpty();
        Path pointer = Files.createSymbolicLink(home.resolve("pointer.conf"), target);
        assertThat(follow(pointer, Syntax.SETTINGS).readable()).containsExactly(pointer);
    }

    @Test
    void followsListsOfUsersButNoDirectivesInThem() throws IOException {
        Path hba = write(etc.resolve("pg_hba.conf"), "local all @users trust\n");
        Path users = write(etc.resolve("users"), "one\n@more\ninclude nothing\n");
        Path more = write(etc.resolve("more"), "two\n");
        ConfigurationFiles files = follow(hba, Syntax.RULES);
        assertThat(files.readable()).containsExactly(more, hba, users);
        assertThat(files.unreadable()).isEmpty();
    }
}
