package dev.mainstay.repository.format;

import com.github.luben.zstd.util.Native;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.io.File;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The native zstd library. zstd-jni unpacks it into a temporary folder and links it from there;
/// here that happens before any of its classes is touched, since one whose initialiser failed once
/// only says that it cannot be found. The library is linked from a folder of its own, which is
/// removed as soon as that is done: even a process that is killed leaves nothing behind.
public final class ZstdLibrary {
    /// zstd-jni's own settings: another temporary folder, or a library that lies ready.
    private static final String FOLDER = "ZstdTempFolder";

    private static final String FILE = "ZstdNativePath";

    /// How its messages begin, which name files that are gone when they are read.
    private static final String UNPACKING = "^Cannot unpack \\S+: ";

    private static final String LINKING = "^(\\S*mainstay-zstd\\S*: )+";

    private static volatile boolean loaded;

    private ZstdLibrary() {}

    /// Loads the library unless that is done. May be called again after it failed.
    ///
    /// @throws MainstayException TEMPORARY_FOLDER if there is no room for it, or it may not be run
    ///   from there; RUNTIME_MISSING if there is none for this machine
    public static void load() {
        if (!loaded) {
            loadOnce();
        }
    }

    private static synchronized void loadOnce() {
        if (System.getProperty(FILE) != null) {
            link(System.getProperty(FILE), new File("."));
        } else {
            String folder =
                    System.getProperty(FOLDER, System.getProperty("java.io.tmpdir", "/tmp"));
            Path own;
            try {
                own = Files.createTempDirectory(Path.of(folder), "mainstay-zstd");
            } catch (IOException refused) {
                throw noRoom(folder, reason(refused), refused);
            }
            try {
                link(folder, own.toFile());
            } finally {
                remove(own);
            }
        }
        loaded = true;
    }

    private static void link(String place, File own) {
        try {
            Native.load(own);
        } catch (ExceptionInInitializerError notUnpacked) {
            throw noRoom(place, firstLine(notUnpacked).replaceFirst(UNPACKING, ""), notUnpacked);
        } catch (UnsatisfiedLinkError wrong) {
            String why = firstLine(wrong).replaceFirst(LINKING, "");
            if (why.startsWith("Failed to open resource")) {
                throw new MainstayException(
                        ErrorCode.RUNTIME_MISSING,
                        "there is no zstd library for this machine: " + why,
                        "Mainstay runs where zstd-jni does, on Linux, macOS and the BSDs",
                        wrong);
            }
            throw new MainstayException(
                    ErrorCode.TEMPORARY_FOLDER,
                    "the zstd library cannot be run from " + place + ": " + why,
                    "the folder must not be mounted noexec; name another one with"
                            + " MAINSTAY_JAVA_OPTS=-Djava.io.tmpdir=FOLDER",
                    wrong);
        }
    }

    private static MainstayException noRoom(String folder, String why, Throwable cause) {
        return new MainstayException(
                ErrorCode.TEMPORARY_FOLDER,
                "the zstd library cannot be unpacked into the temporary folder "
                        + folder
                        + ": "
                        + why,
                cause);
    }

    private static String reason(IOException refused) {
        return switch (refused) {
            case NoSuchFileException _ -> "it does not exist";
            case AccessDeniedException _ ->
                    "user " + System.getProperty("user.name") + " may not write to it";
            case FileSystemException other when other.getReason() != null -> other.getReason();
            default -> String.valueOf(refused.getMessage());
        };
    }

    private static String firstLine(Error wrong) {
        return String.valueOf(wrong.getMessage()).lines().findFirst().orElse("no reason given");
    }

    /// What stays behind hurts nobody; the library is in memory.
    private static void remove(Path own) {
        try (Stream<Path> files = Files.list(own)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(own);
        } catch (IOException left) {
            own.toFile().deleteOnExit();
        }
    }
}
