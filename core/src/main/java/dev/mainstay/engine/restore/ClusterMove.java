package dev.mainstay.engine.restore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Renames a stopped cluster's data directory and its tablespaces. What is to be renamed is written
/// down in the data directory first, and the control file is set aside meanwhile, so that no server
/// starts on half of it; every step that was done already is passed over. So a move that was
/// interrupted anywhere is finished by doing it again.
///
/// ```
/// mainstay-move 1
/// from /srv/pg
/// to /srv/pg.previous-20261121T174500Z
/// tablespace 16400
/// from /srv/space
/// to /srv/space.previous-20261121T174500Z
/// end
/// ```
///
/// @param spaces its tablespaces
record ClusterMove(Path from, Path to, List<Space> spaces) {
    /// Under way.
    static final String JOURNAL = "mainstay-moving";

    /// How to move back what was set aside.
    static final String BACK = "mainstay-previous";

    private static final String FIRST = "mainstay-move 1";
    private static final String LAST = "end";
    private static final String ASIDE = "pg_control.mainstay-moving";
    private static final String CONTROL = "pg_control";
    private static final int HEAD = 3;
    private static final int SPACE_LINES = 3;

    /// A tablespace's directory.
    record Space(String oid, Path from, Path to) {}

    ClusterMove {
        spaces = List.copyOf(spaces);
    }

    ClusterMove reversed() {
        return new ClusterMove(
                to,
                from,
                spaces.stream().map(space -> new Space(space.oid, space.to, space.from)).toList());
    }

    /// What a file in a directory says, if it is whole and about that directory.
    static Optional<ClusterMove> read(Path directory, String name) throws IOException {
        Path file = directory.resolve(name);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        return parse(Files.readString(file, StandardCharsets.UTF_8))
                .filter(move -> move.from.equals(directory) || move.to.equals(directory));
    }

    String text() {
        List<String> lines = new ArrayList<>(List.of(FIRST, "from " + from, "to " + to));
        for (Space space : spaces) {
            lines.addAll(
                    List.of("tablespace " + space.oid, "from " + space.from, "to " + space.to));
        }
        lines.add(LAST);
        return String.join("\n", lines) + "\n";
    }

    static Optional<ClusterMove> parse(String text) {
        List<String> lines = Arrays.asList(text.split("\n", -1));
        int size = lines.size() - 2; // the last line and what follows it
        if (size < HEAD
                || (size - HEAD) % SPACE_LINES != 0
                || !lines.get(0).equals(FIRST)
                || !lines.get(size).equals(LAST)) {
            return Optional.empty();
        }
        try {
            List<Space> spaces = new ArrayList<>();
            for (int at = HEAD; at < size; at += SPACE_LINES) {
                spaces.add(
                        new Space(
                                value(lines.get(at), "tablespace "),
                                Path.of(value(lines.get(at + 1), "from ")),
                                Path.of(value(lines.get(at + 2), "to "))));
            }
            return Optional.of(
                    new ClusterMove(
                            Path.of(value(lines.get(1), "from ")),
                            Path.of(value(lines.get(2), "to ")),
                            spaces));
        } catch (InvalidPathException wrong) {
            return Optional.empty();
        }
    }

    private static String value(String line, String key) {
        if (!line.startsWith(key)) {
            throw new InvalidPathException(line, "no " + key);
        }
        return line.substring(key.length());
    }

    /// Writes down what is going to be done. Durable when it returns.
    ///
    /// @throws IOException also if a path has a line break in it
    void announce() throws IOException {
        if (!parse(text()).equals(Optional.of(this))) {
            throw new IOException(
                    "there is a line break in " + from + " or in a tablespace's path");
        }
        write(from, JOURNAL);
    }

    private void write(Path directory, String name) throws IOException {
        Path made = directory.resolve(name + ".new");
        RestoreFiles.write(made, text().getBytes(StandardCharsets.UTF_8));
        RestoreFiles.rename(made, directory.resolve(name));
        RestoreFiles.syncDirectory(directory);
    }

    /// Does what is left of it, once it is announced.
    ///
    /// @param aside whether the cluster may be wanted back: how is written down where it is then
    /// @param between called between any two steps
    void finish(boolean aside, Runnable between) throws IOException {
        if (isThere(from)) {
            renameControl(from, CONTROL, ASIDE);
            for (Space space : spaces) {
                between.run();
                rename(space.from, space.to);
                between.run();
                link(from.resolve("pg_tblspc").resolve(space.oid), space.to);
            }
            between.run();
            rename(from, to);
        }
        between.run();
        if (aside) {
            reversed().write(to, BACK);
        } else {
            Files.deleteIfExists(to.resolve(BACK));
        }
        between.run();
        renameControl(to, ASIDE, CONTROL);
        between.run();
        Files.delete(to.resolve(JOURNAL));
        RestoreFiles.syncDirectory(to);
    }

    private boolean isThere(Path directory) throws IOException {
        return read(directory, JOURNAL).filter(this::equals).isPresent();
    }

    private static void renameControl(Path directory, String name, String newName)
            throws IOException {
        try (HeldDirectory held = HeldDirectory.open(directory)) {
            held.renameIn("global", name, newName);
        }
    }

    private static void rename(Path from, Path to) throws IOException {
        boolean left = Files.exists(from, LinkOption.NOFOLLOW_LINKS);
        boolean arrived = Files.exists(to, LinkOption.NOFOLLOW_LINKS);
        if (left && arrived) {
            throw new IOException("both " + from + " and " + to + " exist");
        }
        if (left) {
            Files.move(from, to);
        } else if (!arrived) {
            throw new IOException("neither " + from + " nor " + to + " exists");
        }
        syncParent(from);
        syncParent(to);
    }

    private static void syncParent(Path path) throws IOException {
        Path parent = path.getParent();
        if (parent != null) {
            RestoreFiles.syncDirectory(parent);
        }
    }

    /// In one step.
    static void link(Path link, Path to) throws IOException {
        if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(to)) {
            return;
        }
        Path made = link.resolveSibling(link.getFileName() + ".mainstay");
        Files.deleteIfExists(made);
        Files.createSymbolicLink(made, to);
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            Files.setAttribute(
                    made,
                    "owner:owner",
                    Files.getOwner(link, LinkOption.NOFOLLOW_LINKS),
                    LinkOption.NOFOLLOW_LINKS);
        }
        RestoreFiles.rename(made, link);
        RestoreFiles.syncDirectory(link.resolveSibling("."));
    }
}
