package dev.mainstay.storage.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.testkit.SettableClock;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;

final class LocalStoreDetailsTest {
    @TempDir private Path directory = Path.of("");

    private static void fails(ErrorCode code, Runnable call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        MainstayException.class,
                        failure -> assertThat(failure.code()).isEqualTo(code));
    }

    private static ByteBuffer content() {
        return ByteBuffer.wrap(new byte[] {1, 2, 3});
    }

    @Test
    void filesAndDirectoriesBelongToTheOwnerAlone() throws IOException {
        LocalStore store = LocalStore.create(directory.resolve("root"));
        store.put("a/b", content());
        assertThat(PosixFilePermissions.toString(mode("root"))).isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(mode("root/a"))).isEqualTo("rwx------");
        assertThat(PosixFilePermissions.toString(mode("root/a/b"))).isEqualTo("rw-------");
    }

    private java.util.Set<java.nio.file.attribute.PosixFilePermission> mode(String path)
            throws IOException {
        return Files.getPosixFilePermissions(directory.resolve(path));
    }

    @Test
    void aRootThatDoesNotExistIsNotMadeByOpening() {
        fails(ErrorCode.STORE_UNAVAILABLE, () -> LocalStore.open(directory.resolve("absent")));
        assertThat(directory.resolve("absent")).doesNotExist();
    }

    @Test
    void afterTheRootWasReplacedNothingIsCalledAbsent() throws IOException {
        Path root = directory.resolve("root");
        LocalStore store = LocalStore.create(root);
        store.put("a/b", content());
        Files.move(root, directory.resolve("elsewhere"));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.size("a/b"));
        Files.createDirectory(root);
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.size("a/b"));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.get("a/b", 0, 1));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.list("", "", 1));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.delete("a/b"));
        fails(ErrorCode.STORE_UNAVAILABLE, () -> store.put("a/c", content()));
        assertThat(root).isEmptyDirectory();
    }

    @Test
    void whatDeadProcessesLeftIsSweptAfterADay() throws IOException {
        Instant now = Instant.parse("2026-11-21T04:00:00Z");
        Path temp = Files.createDirectory(directory.resolve(".tmp~"));
        Path old = Files.createFile(temp.resolve("1-2-3"));
        Path young = Files.createFile(temp.resolve("1-2-4"));
        Path lock = Files.createFile(temp.resolve("lock"));
        Files.setLastModifiedTime(old, FileTime.from(now.minus(Duration.ofHours(25))));
        Files.setLastModifiedTime(lock, FileTime.from(now.minus(Duration.ofHours(25))));
        Files.setLastModifiedTime(young, FileTime.from(now.minus(Duration.ofHours(23))));
        LocalStore store = LocalStore.open(directory, SettableClock.at(now));
        assertThat(old).doesNotExist();
        assertThat(young).exists();
        assertThat(lock).exists();
        assertThat(store.list("", "", 9).objects()).isEmpty();
    }

    @Test
    void emptyDirectoriesGoWithTheirLastObject() {
        LocalStore store = LocalStore.open(directory);
        store.put("a/b/c", content());
        store.put("a/d", content());
        store.delete("a/b/c");
        assertThat(directory.resolve("a/b")).doesNotExist();
        assertThat(directory.resolve("a")).exists();
    }

    @Test
    void errorsOfTheSystemAreNamedAsInTheCatalogue() {
        assertThat(Failures.code(new IOException("No space left on device")))
                .isEqualTo(ErrorCode.STORE_FULL);
        assertThat(Failures.code(new FileSystemException("x", null, "Disk quota exceeded")))
                .isEqualTo(ErrorCode.STORE_FULL);
        assertThat(Failures.code(new AccessDeniedException("x")))
                .isEqualTo(ErrorCode.STORE_REFUSED);
        assertThat(Failures.code(new FileSystemException("x", null, "Read-only file system")))
                .isEqualTo(ErrorCode.STORE_REFUSED);
        assertThat(Failures.code(new IOException("Input/output error")))
                .isEqualTo(ErrorCode.STORE_UNAVAILABLE);
    }
}
