package dev.mainstay.repository.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

final class KeyFilesTest {
    @TempDir Path folder;

    @Test
    void aKeyFileOfAnotherUserIsNotCalledDamaged() throws IOException {
        Path file = folder.resolve("repository.key");
        KeyFiles.create(file, new byte[32]);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeFalse(Files.isReadable(file), "root reads everything");

        MainstayException refused = refused(() -> KeyFiles.read(file));

        assertThat(refused.code()).isEqualTo(ErrorCode.KEY_FILE_INVALID);
        assertThat(refused)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("permission");
        assertThat(refused.hint()).contains("owner").doesNotContain("copy");
    }

    @Test
    void aFolderThatMayNotBeWrittenIsNamedAsThat() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeFalse(Files.isWritable(folder), "root writes everywhere");
        try {
            Path file = folder.resolve("repository.key");

            MainstayException refused = refused(() -> KeyFiles.create(file, new byte[32]));

            assertThat(refused)
                    .hasMessageContaining("cannot be written")
                    .hasMessageContaining("permission");
            assertThat(refused.hint()).contains("repository.key").doesNotContain("copy");
        } finally {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
        }
    }

    @Test
    void onlyItsOwnerMayHaveAKeyFileAndAGroupIfRootSaysSo() throws IOException {
        Path file = folder.resolve("repository.key");
        KeyFiles.create(file, new byte[32]);
        boolean root = Files.getAttribute(file, "unix:uid").equals(0);
        for (String mode : List.of("rw-------", "r--------", "---------")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
            assertThat(KeyFiles.isPrivate(file)).as(mode).isTrue();
        }
        for (String mode : List.of("rw-r--r--", "rw----r--", "rw--w----", "rw-rw----")) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
            assertThat(KeyFiles.isPrivate(file)).as(mode).isFalse();
        }
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThat(KeyFiles.isPrivate(file)).isEqualTo(root);
    }

    @Test
    void bytesThatAreNoTextAreNoKeyFile() throws IOException {
        Path file = folder.resolve("repository.key");
        Files.write(file, new byte[] {(byte) 0xc3, 0x28, (byte) 0xff});

        MainstayException refused = refused(() -> KeyFiles.read(file));

        assertThat(refused).hasMessageContaining("is no key file");
        assertThat(refused.hint()).contains("restore it from your copy");
    }

    private static MainstayException refused(Runnable action) {
        return catchThrowableOfType(MainstayException.class, action::run);
    }
}
