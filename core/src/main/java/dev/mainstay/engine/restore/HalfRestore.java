package dev.mainstay.engine.restore;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.ControlFile;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What an interrupted restore left behind, in a data directory and its tablespaces.
///
/// A restore begins in empty directories only, marks each before anything else, and unmarks the
/// data directory before it becomes a cluster. So all that is in a directory with the marker that
/// was made in that very directory came from the restore, and no server ever ran on it. All of this
/// is asked of each directory, and everything is deleted through the open directory that was asked:
///
/// - its [RestoreMarker] names the directory and its file number: a copy, or one that came along in
///   a copied directory, is none;
/// - there is no control file, nor any file that a server leaves in a directory it was started on;
/// - a tablespace has the marker of the same restore, and beside it nothing but the directory of
///   that server version;
/// - the restore is not under way: its lock can be taken, and is held until all is deleted.
public final class HalfRestore {
    /// A server writes them when it starts and leaves the second one behind. No backup has them.
    private static final List<String> OF_A_SERVER = List.of("postmaster.pid", "postmaster.opts");

    private final MarkerText text;
    private final List<Path> tablespaces;

    private HalfRestore(MarkerText text, List<Path> tablespaces) {
        this.text = text;
        this.tablespaces = List.copyOf(tablespaces);
    }

    /// Empty if the directory holds anything else, or nothing.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE if a restore into it is under way, or it
    ///   cannot be looked at
    public static Optional<HalfRestore> find(Path directory) {
        try (HeldDirectory held = HeldDirectory.open(directory)) {
            Optional<MarkerText> text =
                    isStartable(held) ? Optional.empty() : RestoreMarker.of(held);
            if (text.isEmpty()) {
                return Optional.empty();
            }
            List<Path> tablespaces = new ArrayList<>();
            for (Path tablespace : text.get().tablespaces()) {
                if (isMarked(tablespace, text.get())) {
                    tablespaces.add(tablespace);
                }
            }
            return Optional.of(new HalfRestore(text.get(), tablespaces));
        } catch (NoSuchFileException | NotDirectoryException nothing) {
            return Optional.empty();
        } catch (IOException unreadable) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    "cannot look into " + directory + ": " + unreadable,
                    unreadable);
        }
    }

    /// Or was started once, or might have been.
    private static boolean isStartable(HeldDirectory held) throws IOException {
        if (held.has(DeltaMark.NAME)) {
            return true; // a cluster that is being rewritten
        }
        for (String name : OF_A_SERVER) {
            if (held.has(name)) {
                return true;
            }
        }
        return held.has("global")
                && (!held.hasDirectory("global") || held.has(ControlFile.PATH.split("/")));
    }

    /// Where the restore did not come as far as to a tablespace there may be anything, or nothing.
    private static boolean isMarked(Path tablespace, MarkerText main) throws IOException {
        try (HeldDirectory held = HeldDirectory.open(tablespace)) {
            return isMarked(held, main);
        } catch (NoSuchFileException | NotDirectoryException nothing) {
            return false;
        }
    }

    private static boolean isMarked(HeldDirectory tablespace, MarkerText main) throws IOException {
        return RestoreMarker.read(tablespace)
                .filter(text -> text.equals(main.in(text.directory(), text.identity())))
                .isPresent();
    }

    /// Everything in them is deleted by [#remove]. The first is the data directory.
    public List<Path> directories() {
        List<Path> all = new ArrayList<>(List.of(text.directory()));
        all.addAll(tablespaces);
        return all;
    }

    /// Deletes what is in the directories, not the directories themselves. The marker goes last, so
    /// that what is left by an interruption is known again.
    ///
    /// @throws MainstayException RESTORE_DIRECTORY_UNSAFE with nothing deleted, if that restore is
    ///   still under way, or ended meanwhile, or there is something in a tablespace that it did not
    ///   put there; RESTORE_WRITE_FAILED
    public void remove() {
        RestoreFiles.attempt(
                "remove the interrupted restore in " + text.directory(),
                () -> {
                    try (HeldDirectory held = HeldDirectory.open(text.directory());
                            RestoreMarker marker = RestoreMarker.take(held, text)) {
                        remove(held, marker);
                    }
                });
    }

    private void remove(HeldDirectory data, RestoreMarker marker) throws IOException {
        if (!data.identity().equals(text.identity()) || isStartable(data)) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    text.directory() + " is no interrupted restore any more");
        }
        List<HeldDirectory> held = new ArrayList<>();
        try {
            for (Path tablespace : tablespaces) {
                HeldDirectory each = HeldDirectory.open(tablespace);
                held.add(each);
                demandOurs(each);
            }
            for (HeldDirectory tablespace : held) {
                tablespace.empty(RestoreMarker.NAME);
                tablespace.deleteFile(RestoreMarker.NAME);
            }
        } finally {
            for (HeldDirectory tablespace : held) {
                tablespace.close();
            }
        }
        data.empty(RestoreMarker.NAME);
        RestoreFiles.syncDirectory(data.path());
        marker.delete();
    }

    private void demandOurs(HeldDirectory tablespace) throws IOException {
        if (!isMarked(tablespace, text)) {
            throw new MainstayException(
                    ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                    tablespace.path() + " is no tablespace of the interrupted restore any more");
        }
        for (String name : tablespace.names()) {
            if (!name.equals(RestoreMarker.NAME) && !name.equals(text.content())) {
                throw new MainstayException(
                        ErrorCode.RESTORE_DIRECTORY_UNSAFE,
                        tablespace.path().resolve(name)
                                + " was not put there by the interrupted restore",
                        "look what it is, and remove the directories by hand",
                        null);
            }
        }
    }
}
