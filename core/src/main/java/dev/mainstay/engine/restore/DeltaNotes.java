package dev.mainstay.engine.restore;

import dev.mainstay.engine.restore.RestorePlan.Tablespace;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// What a delta restore leaves behind outside its directory.
final class DeltaNotes {
    private DeltaNotes() {}

    static List<String> of(RestorePlan plan, Path data, LocalTree.Surplus surplus)
            throws IOException {
        List<String> notes = new ArrayList<>();
        surplus.links()
                .forEach(
                        link ->
                                notes.add(
                                        "link "
                                                + link
                                                + " is replaced by what the backup has there; what"
                                                + " it led to is left alone"));
        Path links = data.resolve("pg_tblspc");
        if (!Files.isDirectory(links, LinkOption.NOFOLLOW_LINKS)) {
            return notes;
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(links)) {
            for (Path link : all) {
                if (Files.isSymbolicLink(link) && !isStaying(plan, link)) {
                    notes.add(
                            "tablespace "
                                    + link.getFileName()
                                    + " in "
                                    + Files.readSymbolicLink(link)
                                    + " is not part of what is restored; its files are left alone");
                }
            }
        }
        notes.sort(null);
        return notes;
    }

    private static boolean isStaying(RestorePlan plan, Path link) {
        for (Tablespace tablespace : plan.tablespaces()) {
            if (tablespace.oid().equals(link.getFileName().toString())) {
                try {
                    return link.toRealPath().equals(tablespace.to().toRealPath());
                } catch (IOException leadsNowhere) {
                    return false;
                }
            }
        }
        return false;
    }
}
