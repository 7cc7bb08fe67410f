package dev.mainstay.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

class ConfigCommandTest {
    private final Console console = new Console();
    @TempDir private Path folder = Path.of("");

    private int check(String yaml) throws IOException {
        Files.writeString(folder.resolve("mainstay.yaml"), yaml);
        return console.run(folder, "config", "check");
    }

    @Test
    void aRightFileIsSaidToBeAndNothingIsOpened() throws IOException {
        assertThat(
                        check(
                                """
                                repository: { url: file:///nowhere, key: { file: none.key } }
                                copies: { far: { url: file:///far } }
                                sources: { orders: { postgres: { url: "postgresql://127.0.0.1:1/db" } } }
                                """))
                .as(console.err())
                .isZero();
        assertThat(console.out())
                .contains("mainstay.yaml is right", "file:///nowhere", "far", "orders");
    }

    @Test
    void sourcesOfOneClusterAreToldAsFarAsTheFileTells() throws IOException {
        assertThat(
                        check(
                                """
                                repository: { url: file:///r, encryption: none }
                                sources:
                                  orders: { postgres: { url: "postgresql://a@db1:5432/x", data-directory: /data } }
                                  stock: { postgres: { url: "postgresql://b@db1/y" } }
                                  again: { postgres: { url: "postgresql://db2", data-directory: /other/../data } }
                                  alone: { postgres: { url: "postgresql://db1:5433", standby: { url: "postgresql://db3" } } }
                                """))
                .as(console.err())
                .isZero();
        assertThat(console.out())
                .contains(
                        "sources orders and stock both name server db1",
                        "sources orders and again both name data-directory /data",
                        "postgres.standby")
                .doesNotContain("alone both", "and alone");
        assertThat(
                        check(
                                """
                                repository: { url: file:///r, encryption: none }
                                sources:
                                  orders: { postgres: { url: "postgresql://db1", standby: { url: "postgresql://db2" } } }
                                """))
                .isZero();
        assertThat(console.out()).doesNotContain("one cluster");
    }

    @Test
    void everyErrorOfTheFileIsTold() throws IOException {
        assertThat(
                        check(
                                """
                                repository: { url: file:///r, encryption: nonsense }
                                sources: { orders: { postgres: { url: 7 } } }
                                """))
                .isEqualTo(1);
        assertThat(console.err())
                .contains(
                        "has 2 errors:\n  [MS-0402] ", "mainstay.yaml:1:43", "mainstay.yaml:2:39");
    }

    @Test
    void everyExpressionThatIsNoneIsToldAsTheServerWould() throws IOException {
        assertThat(
                        check(
                                """
                                repository: { url: file:///r, encryption: none }
                                sources:
                                  orders:
                                    postgres: { url: "postgresql://127.0.0.1:1/db" }
                                    schedules: { full: "61 1 * * *", expire: sometimes }
                                server: { schedules: { prune: "0 0 30 2 *" } }
                                """))
                .isEqualTo(1);
        assertThat(console.err()).contains("has 3 errors:", "61", "sometimes", "never comes");
    }
}
