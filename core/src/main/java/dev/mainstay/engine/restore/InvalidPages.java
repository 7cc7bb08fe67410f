package dev.mainstay.engine.restore;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Reads a server's log for pages that replay wanted to change and that were not there. Of
/// databases without content that is as expected; of all others it is damage that
/// `ignore_invalid_pages` would hide.
final class InvalidPages {
    private static final int REPORTED = 5;
    private static final int TAIL_BYTES = 16 << 10;
    private static final Pattern MISSING =
            Pattern.compile("page \\d+ of relation (\\S+) (?:is uninitialized|does not exist).*");
    private static final Pattern DATABASE =
            Pattern.compile("(?:base|pg_tblspc/\\d+/[^/]+)/(\\d+)/.*");

    private InvalidPages() {}

    /// The first few of databases that are kept, in the server's words.
    static List<String> of(Path log, KeptDatabases kept) {
        List<String> missing = new ArrayList<>();
        RestoreFiles.attempt(
                "read " + log,
                () -> {
                    try (Stream<String> lines = Files.lines(log, StandardCharsets.ISO_8859_1)) {
                        lines.map(MISSING::matcher)
                                .filter(Matcher::find)
                                .filter(found -> isKept(found.group(1), kept))
                                .limit(REPORTED)
                                .forEach(found -> missing.add(found.group()));
                    }
                });
        return missing;
    }

    private static boolean isKept(String path, KeptDatabases kept) {
        Matcher matcher = DATABASE.matcher(path);
        return kept.isEverything()
                || !matcher.matches()
                || kept.oids().contains(Long.parseLong(matcher.group(1)));
    }

    /// The end of a log.
    static String tail(Path log, int lines) {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            file.seek(Math.max(0, file.length() - TAIL_BYTES));
            byte[] end = new byte[(int) (file.length() - file.getFilePointer())];
            file.readFully(end);
            List<String> all = new String(end, StandardCharsets.UTF_8).lines().toList();
            return String.join("\n", all.subList(Math.max(0, all.size() - lines), all.size()));
        } catch (IOException unreadable) {
            return "(unreadable: " + unreadable + ")";
        }
    }
}
