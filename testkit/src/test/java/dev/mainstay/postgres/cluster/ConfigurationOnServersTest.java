package dev.mainstay.postgres.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ConfigurationFiles.Unreadable;
import dev.mainstay.testkit.TestCluster;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/// Once as the role that backs up, which the server tells little, and once as superuser.
class ConfigurationOnServersTest {
    private static final String ROLE = "backup";

    private static Path write(Path file, String text) throws IOException {
        return Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @ParameterizedTest
    @MethodSource("dev.mainstay.testkit.Versions#selected")
    void findsWhatLiesOutsideTheDataDirectory(int major) throws SQLException, IOException {
        try (TestCluster cluster = TestCluster.create(major)) {
            cluster.sql(
                    "CREATE ROLE " + ROLE + " LOGIN",
                    "GRANT pg_read_all_settings TO " + ROLE,
                    "CREATE ROLE nobody LOGIN");
            Path data = cluster.dataDirectory();
            try (Connection connection = cluster.connect("postgres", ROLE, "")) {
                ConfigurationFiles files = ConfigurationFiles.read(connection, data);
                assertThat(files).isEqualTo(new ConfigurationFiles(List.of(), List.of()));
            }
            boolean rulesInclude = major >= 16;
            Path etc = cluster.home().directory("etc");
            Path extra = write(etc.resolve("extra.conf"), "work_mem = '5MB'\n");
            Path comment = write(etc.resolve("comment.conf"), "# sets nothing\n");
            Path folder = cluster.home().directory("conf.d");
            Path piece = write(folder.resolve("01.conf"), "work_mem = '6MB'\n");
            Path users = write(etc.resolve("users"), "postgres\n");
            Path more = write(etc.resolve("more_hba.conf"), "local all nobody trust\n");
            Path hba = etc.resolve("pg_hba.conf");
            write(
                    hba,
                    Files.readString(data.resolve("pg_hba.conf"))
                            + "\nlocal all @users trust\n"
                            + (rulesInclude ? "include more_hba.conf\n" : ""));
            Path ident = write(etc.resolve("pg_ident.conf"), "map root postgres\n");
            write(
                    data.resolve("postgresql.conf"),
                    "include '../etc/extra.conf'\ninclude_if_exists '/does/not/exist.conf'\n"
                            + "include '"
                            + comment
                            + "'\ninclude_dir '"
                            + folder
                            + "'\n");
            ServerUser.giveToUnprivileged(cluster.home().path());
            cluster.configure(Map.of("hba_file", hba.toString(), "ident_file", ident.toString()));
            cluster.restart();
            assertThat(cluster.value("SHOW work_mem")).isEqualTo("6MB");
            List<Path> expected =
                    rulesInclude
                            ? List.of(piece, comment, extra, more, hba, ident, users)
                            : List.of(piece, comment, extra, hba, ident, users);
            for (String role : List.of(ROLE, TestCluster.SUPERUSER)) {
                try (Connection connection = cluster.connect("postgres", role, "")) {
                    ConfigurationFiles files = ConfigurationFiles.read(connection, data);
                    assertThat(files.readable()).as(role).containsExactlyElementsOf(expected);
                    assertThat(files.unreadable()).as(role).isEmpty();
                }
            }
            Files.delete(extra);
            try (Connection connection = cluster.connect("postgres", ROLE, "")) {
                assertThat(ConfigurationFiles.read(connection, data).unreadable())
                        .containsExactly(new Unreadable(extra.toString(), "does not exist"));
            }
            try (Connection connection = cluster.connect("postgres", "nobody", "")) {
                assertThatThrownBy(() -> ConfigurationFiles.read(connection, data))
                        .isInstanceOfSatisfying(
                                MainstayException.class,
                                e ->
                                        assertThat(e.code())
                                                .isEqualTo(ErrorCode.SERVER_RIGHT_MISSING));
            }
        }
    }
}
