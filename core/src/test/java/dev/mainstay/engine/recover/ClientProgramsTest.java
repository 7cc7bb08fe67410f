package dev.mainstay.engine.recover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;

class ClientProgramsTest {
    private static final int NEVER = 99;

    @TempDir private Path folder = Path.of("");

    private Path program(String name, String script) throws IOException {
        Path program = folder.resolve(name);
        Files.writeString(program, "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
        return program;
    }

    @Test
    void programsOfTheMajorVersionAreFoundWhereverTheyAre() throws IOException {
        Path dump = program("pg_dump", "echo 'pg_dump (PostgreSQL) 99.1 (Debian 99.1-1)'");
        Path restore = program("pg_restore", "echo 'pg_restore (PostgreSQL) 99.3'");
        ClientPrograms expected = new ClientPrograms(dump, restore);
        assertThat(ClientPrograms.find(NEVER, Optional.of(folder), "")).isEqualTo(expected);
        assertThat(ClientPrograms.find(NEVER, Optional.empty(), "x:" + folder)).isEqualTo(expected);
    }

    @Test
    void missingProgramsAndOtherVersionsNameThePackage() throws IOException {
        assertThatThrownBy(() -> ClientPrograms.find(NEVER, Optional.of(folder), "/nowhere"))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        missing -> {
                            assertThat(missing.code()).isEqualTo(ErrorCode.RECOVER_PROGRAM_MISSING);
                            assertThat(missing.hint()).contains("postgresql-client-99");
                        })
                .hasMessageContaining("no pg_dump of PostgreSQL 99");
        Path other = program("pg_dump", "echo 'pg_dump (PostgreSQL) 14.2'");
        assertThatThrownBy(() -> ClientPrograms.find(NEVER, Optional.of(folder), ""))
                .hasMessageContaining(other + " is of version 14");
    }

    @Test
    void whatAProgramSaysIsShownWhenItFails() throws IOException {
        String script = "echo \"no $1 for $PGPASSWORD\" >&2; exit 3";
        Path program = program("pg_restore", script);
        assertThatThrownBy(
                        () ->
                                Program.run(
                                        List.of(program.toString(), "tä'ble"),
                                        Map.of("PGPASSWORD", "q'uote"),
                                        ErrorCode.RECOVER_IMPORT_FAILED))
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failed ->
                                assertThat(failed.code())
                                        .isEqualTo(ErrorCode.RECOVER_IMPORT_FAILED))
                .hasMessage("pg_restore failed with status 3:\nno tä'ble for q'uote");
    }
}
