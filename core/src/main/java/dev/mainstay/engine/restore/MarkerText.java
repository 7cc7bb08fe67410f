package dev.mainstay.engine.restore;

import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What a [RestoreMarker] says. It names the directory it was made in, so that a copy of it, or of
/// everything around it, says nothing about the directory it was copied to.
///
/// ```
/// mainstay-restore-incomplete 1
/// restore 0123456789abcdef0123456789abcdef
/// backup 20261121T090000Z-01020304
/// directory /srv/pg
/// identity (dev=fe01,ino=1234)
/// content PG_17_202406281
/// tablespace /srv/space
/// end
/// ```
///
/// Line breaks and backslashes in names are escaped by a backslash. One that does not have exactly
/// these lines, of which `tablespace` may come any number of times, is none.
///
/// @param restore the same in all directories of one restore, and in no other
/// @param directory without links in it
/// @param identity of the directory, as [HeldDirectory#identity]
/// @param content the directory of this server version in a tablespace
/// @param tablespaces only in the data directory: where they go
record MarkerText(
        String restore,
        String backup,
        Path directory,
        String identity,
        String content,
        List<Path> tablespaces) {
    private static final String FIRST = "mainstay-restore-incomplete 1";
    private static final String LAST = "end";
    private static final List<String> KEYS =
            List.of("restore", "backup", "directory", "identity", "content");

    MarkerText {
        tablespaces = List.copyOf(tablespaces);
    }

    /// The same restore's in another directory.
    MarkerText in(Path other, String otherIdentity) {
        return new MarkerText(restore, backup, other, otherIdentity, content, List.of());
    }

    byte[] bytes() {
        StringBuilder text = new StringBuilder(FIRST).append('\n');
        List<String> values = List.of(restore, backup, directory.toString(), identity, content);
        for (int i = 0; i < KEYS.size(); i++) {
            line(text, KEYS.get(i), values.get(i));
        }
        tablespaces.forEach(each -> line(text, "tablespace", each.toString()));
        return text.append(LAST).append('\n').toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void line(StringBuilder text, String key, String value) {
        String escaped = value.replace("\\", "\\\\").replace("\n", "\\n");
        text.append(key).append(' ').append(escaped).append('\n');
    }

    /// Empty if this is no whole marker.
    static Optional<MarkerText> parse(byte[] bytes) {
        List<String> lines =
                new ArrayList<>(
                        Arrays.asList(new String(bytes, StandardCharsets.UTF_8).split("\n", -1)));
        boolean framed =
                lines.size() >= KEYS.size() + 3
                        && lines.removeFirst().equals(FIRST)
                        && lines.removeLast().isEmpty()
                        && lines.removeLast().equals(LAST);
        if (!framed) {
            return Optional.empty();
        }
        List<String> values = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String key = (i < KEYS.size() ? KEYS.get(i) : "tablespace") + " ";
            if (!lines.get(i).startsWith(key)) {
                return Optional.empty();
            }
            values.add(unescape(lines.get(i).substring(key.length())));
        }
        try {
            return Optional.of(of(values));
        } catch (InvalidPathException _) {
            return Optional.empty();
        }
    }

    private static MarkerText of(List<String> values) {
        return new MarkerText(
                values.get(0),
                values.get(1),
                Path.of(values.get(2)),
                values.get(3),
                values.get(4),
                values.subList(KEYS.size(), values.size()).stream().map(Path::of).toList());
    }

    private static String unescape(String value) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\\' && i + 1 < value.length()) {
                i++;
                c = value.charAt(i) == 'n' ? '\n' : value.charAt(i);
            }
            text.append(c);
        }
        return text.toString();
    }
}
