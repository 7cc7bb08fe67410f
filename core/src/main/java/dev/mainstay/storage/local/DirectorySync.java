package dev.mainstay.storage.local;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/// Makes names durable. A file survives a crash only if its own directory was synced after it was
/// named there, and that directory only if its parent was, up to the root — no matter which process
/// made the directory: one that finds it there may not assume that its maker already synced it.
///
/// Which directories are known to be settled is remembered by [Identity], because a directory may
/// be removed and made again by others at any time. A directory that holds an object is not
/// removed, so what is found after the object was named stays true for as long as it matters.
final class DirectorySync {
    private final Path root;
    private final boolean supported;
    private final ConcurrentHashMap<Path, Identity> settled = new ConcurrentHashMap<>();

    /// @param supported whether this file system can sync directories at all
    DirectorySync(Path root, boolean supported) {
        this.root = root;
        this.supported = supported;
    }

    /// Returns when everything that is named in `directory` now survives a crash.
    void settle(Path directory) throws IOException {
        if (!supported) {
            return;
        }
        Deque<Path> unknown = new ArrayDeque<>();
        Deque<Identity> found = new ArrayDeque<>();
        for (Path path = directory; !path.equals(root); path = parent(path)) {
            Identity identity = Identity.of(path);
            if (identity.equals(settled.get(path))) {
                break;
            }
            unknown.push(path);
            found.push(identity);
        }
        while (!unknown.isEmpty()) {
            Path path = unknown.pop();
            force(parent(path));
            settled.put(path, found.pop());
        }
        force(directory);
    }

    static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    static Path parent(Path path) {
        return Objects.requireNonNull(path.getParent(), "the root has no parent here");
    }
}
