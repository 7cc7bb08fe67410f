package dev.mainstay.storage.local;

import dev.mainstay.storage.ListPage;
import dev.mainstay.storage.ObjectName;
import dev.mainstay.storage.StoredObject;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Objects;

/// One page of a listing: walks the tree in the order of whole names and reads only directories
/// that may hold names of the page.
///
/// The order of whole names is not that of directory entries. `-` and `.` sort before `/`, so the
/// objects in a directory `a` come after `a-b` and `a.b`, although `a` sorts before both. What a
/// directory holds is therefore kept back until the next entry lies behind `a/`.
final class Listing {
    private final Folders folders;
    private final String prefix;
    private final String after;
    private final int limit;
    private final List<StoredObject> page = new ArrayList<>();
    private boolean more;

    private Listing(Folders folders, String prefix, String after, int limit) {
        this.folders = folders;
        this.prefix = prefix;
        this.after = after;
        this.limit = limit;
    }

    static ListPage read(Folders folders, String prefix, String after, int limit)
            throws IOException {
        Listing listing = new Listing(folders, prefix, after, limit);
        listing.walk(prefix.substring(0, prefix.lastIndexOf('/') + 1));
        folders.verifyRoot();
        return new ListPage(listing.page, !listing.more);
    }

    /// @param base the name of the directory with its slash; empty for the root
    private void walk(String base) throws IOException {
        // Directories that wait, the one whose turn comes first on top.
        Deque<String> waiting = new ArrayDeque<>();
        for (String entry : relevantEntries(base)) {
            String name = base + entry;
            while (!waiting.isEmpty() && waiting.element().compareTo(name) < 0) {
                walk(waiting.pop());
            }
            if (more) {
                return;
            }
            visit(name, waiting);
        }
        while (!waiting.isEmpty() && !more) {
            walk(waiting.pop());
        }
    }

    private void visit(String name, Deque<String> waiting) throws IOException {
        BasicFileAttributes attributes;
        try {
            attributes = Files.readAttributes(folders.resolve(name), BasicFileAttributes.class);
        } catch (NoSuchFileException _) {
            return; // deleted since the directory was read
        }
        if (attributes.isDirectory()) {
            if (mayHold(name + "/")) {
                waiting.push(name + "/");
            }
        } else if (attributes.isRegularFile() && isWanted(name)) {
            if (page.size() == limit) {
                more = true;
            } else {
                page.add(new StoredObject(name, attributes.size()));
            }
        }
    }

    private List<String> relevantEntries(String base) throws IOException {
        List<String> entries = new ArrayList<>();
        Path directory = base.isEmpty() ? folders.root() : folders.resolve(base);
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            for (Path path : stream) {
                String entry = Objects.requireNonNull(path.getFileName()).toString();
                String name = base + entry;
                // What is no name was not put by us: lost+found, and our own temp folder.
                if (ObjectName.isValid(name) && (isWanted(name) || mayHold(name + "/"))) {
                    entries.add(entry);
                }
            }
        } catch (NoSuchFileException | NotDirectoryException _) {
            return List.of(); // the caller makes sure that the root still stands
        } catch (DirectoryIteratorException failure) {
            throw failure.getCause();
        }
        Collections.sort(entries);
        return entries;
    }

    private boolean isWanted(String name) {
        return name.startsWith(prefix) && name.compareTo(after) > 0;
    }

    /// Whether names that begin with `folder`, which ends in a slash, may be wanted.
    private boolean mayHold(String folder) {
        boolean inPrefix = folder.startsWith(prefix) || prefix.startsWith(folder);
        return inPrefix && (folder.compareTo(after) > 0 || after.startsWith(folder));
    }
}
