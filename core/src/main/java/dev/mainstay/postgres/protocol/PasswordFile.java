package dev.mainstay.postgres.protocol;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// A password file by libpq's rules: `host:port:database:user:password`, `*` matches everything, a
/// backslash quotes, `#` begins a comment line. A file that others may read is not used.
final class PasswordFile {
    /// What a look-up found.
    ///
    /// @param ignored why the file was not used, for the message when the server wants a password
    record Answer(Optional<String> password, Optional<String> ignored) {
        static final Answer NONE = new Answer(Optional.empty(), Optional.empty());

        static Answer ignored(String why) {
            return new Answer(Optional.empty(), Optional.of(why));
        }

        /// Never shows the password.
        @Override
        public String toString() {
            return password.isPresent() ? "a password" : "no password";
        }
    }

    private static final Set<PosixFilePermission> OWNER =
            Set.of(
                    PosixFilePermission.OWNER_READ,
                    PosixFilePermission.OWNER_WRITE,
                    PosixFilePermission.OWNER_EXECUTE);
    private static final Set<String> DEFAULT_SOCKETS =
            Set.of("/tmp", "/var/run/postgresql", "/run/postgresql");

    private final Path file;

    PasswordFile(Path file) {
        this.file = file;
    }

    Answer find(ServerHost host, String user, List<String> databases) {
        if (!Files.exists(file)) {
            return Answer.NONE;
        }
        try {
            if (!Files.isRegularFile(file)) {
                return Answer.ignored("password file '" + file + "' is not a plain file");
            }
            PosixFileAttributeView view =
                    Files.getFileAttributeView(file, PosixFileAttributeView.class);
            if (view != null && !OWNER.containsAll(view.readAttributes().permissions())) {
                return Answer.ignored(
                        "password file '"
                                + file
                                + "' was ignored: group or others have access, it must be 0600");
            }
            List<String> lines =
                    new String(Files.readAllBytes(file), StandardCharsets.UTF_8).lines().toList();
            for (String database : databases) {
                Optional<String> found = match(lines, host, user, database);
                if (found.isPresent()) {
                    return new Answer(found, Optional.empty());
                }
            }
            return Answer.NONE;
        } catch (IOException unreadable) {
            return Answer.ignored("password file '" + file + "' cannot be read");
        }
    }

    private static Optional<String> match(
            List<String> lines, ServerHost host, String user, String database) {
        for (String line : lines) {
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            List<String> raw = split(line);
            if (raw.size() >= 5
                    && hostMatches(raw.get(0), host)
                    && matches(raw.get(1), Integer.toString(host.port()))
                    && matches(raw.get(2), database)
                    && matches(raw.get(3), user)) {
                return Optional.of(unquote(raw.get(4)));
            }
        }
        return Optional.empty();
    }

    private static boolean hostMatches(String field, ServerHost host) {
        return switch (host) {
            case ServerHost.Tcp tcp -> matches(field, tcp.name());
            case ServerHost.Unix unix -> {
                String directory = unix.directory().toString();
                yield matches(field, directory)
                        || (DEFAULT_SOCKETS.contains(directory) && matches(field, "localhost"));
            }
        };
    }

    /// A quoted star (`\*`) is a star, not everything.
    private static boolean matches(String rawField, String value) {
        return rawField.equals("*") || unquote(rawField).equals(value);
    }

    private static List<String> split(String line) {
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '\\' && i + 1 < line.length()) {
                field.append(c).append(line.charAt(++i));
            } else if (c == ':') {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }

    private static String unquote(String field) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            if (field.charAt(i) == '\\' && i + 1 < field.length()) {
                i++;
            }
            plain.append(field.charAt(i));
        }
        return plain.toString();
    }
}
