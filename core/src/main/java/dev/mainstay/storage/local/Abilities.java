package dev.mainstay.storage.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;

/// What the file system under a store can do, found by trying.
///
/// @param writable objects can be put
/// @param hardLinks a file can be given a second name, and not one that is taken
/// @param directorySync directories can be synced
/// @param survives the file system does not live in memory
record Abilities(boolean writable, boolean hardLinks, boolean directorySync, boolean survives) {
    private static final Set<String> IN_MEMORY = Set.of("tmpfs", "ramfs");

    /// @throws IOException if the store cannot be used at all
    static Abilities probe(Folders folders, TempFiles temp) throws IOException {
        boolean survives = !IN_MEMORY.contains(Files.getFileStore(folders.root()).type());
        Path first;
        try {
            Folders.makeOne(temp.folder());
            first = temp.write(ByteBuffer.allocate(1));
        } catch (IOException failure) {
            // A mounted snapshot, or a full store: what is there can be read.
            return switch (Failures.code(failure)) {
                case STORE_REFUSED -> new Abilities(false, false, false, survives);
                case STORE_FULL -> new Abilities(true, true, true, survives);
                default -> throw failure;
            };
        }
        try {
            return new Abilities(true, canLink(first, temp), canSync(folders.root()), survives);
        } finally {
            temp.discard(first);
        }
    }

    private static boolean canLink(Path first, TempFiles temp) {
        Path second = first.resolveSibling(first.getFileName() + "-link");
        try {
            Files.createLink(second, first);
            return refusesTaken(second, first);
        } catch (UnsupportedOperationException | IOException _) {
            return false;
        } finally {
            temp.discard(second);
        }
    }

    private static boolean refusesTaken(Path second, Path first) throws IOException {
        try {
            Files.createLink(second, first);
            return false;
        } catch (FileAlreadyExistsException _) {
            return true;
        }
    }

    private static boolean canSync(Path directory) {
        try {
            DirectorySync.force(directory);
            return true;
        } catch (IOException _) {
            return false;
        }
    }
}
