package dev.mainstay.repository.crypto;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.format.Bytes;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;

/// Key files: one line, `mainstay-key-1`, 64 hex digits of secret, 8 hex digits of its SHA-256 so
/// that a typing error is noticed.
public final class KeyFiles {
    private static final String LABEL = "mainstay-key-1";

    private static final Set<PosixFilePermission> OWNER =
            EnumSet.of(
                    PosixFilePermission.OWNER_READ,
                    PosixFilePermission.OWNER_WRITE,
                    PosixFilePermission.OWNER_EXECUTE);

    private KeyFiles() {}

    public static String print(byte[] secret) {
        HexFormat hex = HexFormat.of();
        return LABEL + " " + hex.formatHex(secret) + " " + hex.formatHex(check(secret)) + "\n";
    }

    private static byte[] check(byte[] secret) {
        return Arrays.copyOf(Bytes.sha256(secret, 0, secret.length), 4);
    }

    /// @throws MainstayException KEY_FILE_INVALID
    public static Credential.KeyFile parse(String name, String text) {
        String[] words = text.strip().split(" ", -1);
        if (words.length == 3 && words[0].equals(LABEL) && words[1].length() == 64) {
            try {
                byte[] secret = HexFormat.of().parseHex(words[1]);
                if (Arrays.equals(check(secret), HexFormat.of().parseHex(words[2]))) {
                    return new Credential.KeyFile(name, secret);
                }
            } catch (IllegalArgumentException notHex) {
                throw invalid(name, notHex);
            }
        }
        throw invalid(name, null);
    }

    private static MainstayException invalid(
            String name, @org.jspecify.annotations.Nullable Throwable cause) {
        return new MainstayException(
                ErrorCode.KEY_FILE_INVALID, "key file " + name + " is no key file", cause);
    }

    public static Credential.KeyFile read(Path file) {
        return parse(file.toString(), text(file));
    }

    /// What a file holds that has a key in it.
    ///
    /// @throws MainstayException KEY_MISSING, KEY_FILE_INVALID
    public static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException missing) {
            throw new MainstayException(
                    ErrorCode.KEY_MISSING, "key file " + file + " does not exist", missing);
        } catch (AccessDeniedException denied) {
            throw new MainstayException(
                    ErrorCode.KEY_FILE_INVALID,
                    "key file " + file + " cannot be read: " + user() + " has no permission",
                    "run the command as the owner of the key file, or make that user its owner",
                    denied);
        } catch (MalformedInputException noText) {
            throw invalid(file.toString(), noText);
        } catch (IOException unreadable) {
            throw new MainstayException(
                    ErrorCode.KEY_FILE_INVALID,
                    "key file " + file + " cannot be read: " + unreadable.getMessage(),
                    "see that its file system is mounted and healthy, or restore your copy of it",
                    unreadable);
        }
    }

    /// Whether nobody but its owner may read or change a key file. As with PostgreSQL's own TLS
    /// keys, a file of root's may be readable for a group.
    public static boolean isPrivate(Path file) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return true; // nothing is known
        }
        Set<PosixFilePermission> others = new HashSet<>(Files.getPosixFilePermissions(file));
        others.removeAll(OWNER);
        return others.isEmpty()
                || others.equals(EnumSet.of(PosixFilePermission.GROUP_READ))
                        && Files.getAttribute(file, "unix:uid").equals(0);
    }

    private static String user() {
        return "user " + System.getProperty("user.name", "?");
    }

    /// Writes a new key file, readable by its owner only, synced. Never replaces one.
    public static void create(Path file, byte[] secret) {
        write(file, print(secret));
    }

    /// Writes a new file with a key in it, readable by its owner only, synced. Never replaces one.
    public static void write(Path file, String text) {
        var owner =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            try (FileChannel out =
                    FileChannel.open(
                            file,
                            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                            owner)) {
                ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
        } catch (FileAlreadyExistsException exists) {
            throw new MainstayException(
                    ErrorCode.REPOSITORY_EXISTS,
                    "key file " + file + " exists already",
                    "move it away if it belongs to no repository any more",
                    exists);
        } catch (AccessDeniedException denied) {
            throw new MainstayException(
                    ErrorCode.KEY_FILE_INVALID,
                    "key file " + file + " cannot be written: " + user() + " has no permission",
                    "let that user write to its folder, or name another place in repository.key",
                    denied);
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.KEY_FILE_INVALID,
                    "key file " + file + " cannot be written: " + failed.getMessage(),
                    "free space there, or name another place in repository.key",
                    failed);
        }
    }
}
