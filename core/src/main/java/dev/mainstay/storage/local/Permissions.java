package dev.mainstay.storage.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Set;

/// Permissions whatever the umask says. A file system that keeps none (vfat, some network shares)
/// refuses to set them; who mounts it decides there.
final class Permissions {
    private Permissions() {}

    static void set(Path path, Set<PosixFilePermission> wanted) throws IOException {
        try {
            if (!Files.getPosixFilePermissions(path).equals(wanted)) {
                Files.setPosixFilePermissions(path, wanted);
            }
        } catch (NoSuchFileException removed) {
            throw removed;
        } catch (IOException failure) {
            if (!Failures.isRefusal(failure)) {
                throw failure;
            }
        }
    }
}
