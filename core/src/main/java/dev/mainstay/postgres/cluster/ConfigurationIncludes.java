package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Follows the includes of configuration files and sorts out what is part of the data directory.
final class ConfigurationIncludes {
    /// How a file names others.
    enum Syntax {
        /// `postgresql.conf`
        SETTINGS,
        /// `pg_hba.conf`, `pg_ident.conf`: include directives from 16 on, `@` files always
        RULES,
        /// An `@` file: more of its kind, no directives.
        NAMES
    }

    private final ConfigurationPlace place;
    private final Path dataDirectory;
    private final boolean includesInRules;
    private final Set<Path> followed = new HashSet<>();
    private final Set<Path> readable = new TreeSet<>();
    private final Map<String, String> unreadable = new TreeMap<>();

    /// On this host.
    ConfigurationIncludes(Path dataDirectory, boolean includesInRules) {
        this(new ConfigurationPlace.Here(dataDirectory), includesInRules);
    }

    ConfigurationIncludes(ConfigurationPlace place, boolean includesInRules) {
        this.place = place;
        this.dataDirectory = place.dataDirectory();
        this.includesInRules = includesInRules;
    }

    /// Takes the file and everything that it includes.
    void follow(String path, Syntax syntax) {
        follow(path, dataDirectory, syntax, true);
    }

    ConfigurationFiles result() {
        return new ConfigurationFiles(
                List.copyOf(readable),
                unreadable.entrySet().stream()
                        .map(e -> new ConfigurationFiles.Unreadable(e.getKey(), e.getValue()))
                        .toList());
    }

    /// @param directory that a relative path starts from
    private void follow(String name, Path directory, Syntax syntax, boolean required) {
        Path file;
        try {
            file = directory.resolve(name).normalize();
        } catch (InvalidPathException e) {
            unreadable.put(name, "no file can have this name here");
            return;
        }
        if (!followed.add(file)) {
            return;
        }
        byte[] content;
        try {
            content = place.read(file);
        } catch (IOException e) {
            if (required || !(e instanceof NoSuchFileException)) {
                place.reason(file, e).ifPresent(why -> unreadable.put(file.toString(), why));
            } else {
                followed.remove(file); // something else may require it
            }
            return;
        }
        if (!place.isInside(file)) {
            readable.add(file);
        }
        Path parent = file.getParent();
        String text = new String(content, StandardCharsets.UTF_8);
        for (ConfigurationText.Reference reference : references(text, syntax)) {
            follow(reference, parent == null ? directory : parent);
        }
    }

    private List<ConfigurationText.Reference> references(String text, Syntax syntax) {
        return switch (syntax) {
            case SETTINGS -> ConfigurationText.settings(text);
            case RULES -> ConfigurationText.rules(text, includesInRules);
            case NAMES -> ConfigurationText.rules(text, false);
        };
    }

    private void follow(ConfigurationText.Reference reference, Path directory) {
        switch (reference.kind()) {
            case FILE -> follow(reference.path(), directory, reference.syntax(), true);
            case FILE_IF_EXISTS -> follow(reference.path(), directory, reference.syntax(), false);
            case DIRECTORY -> followAll(reference.path(), directory, reference.syntax());
        }
    }

    /// As PostgreSQL does: files whose names end in `.conf` and do not begin with a dot.
    private void followAll(String name, Path directory, Syntax syntax) {
        List<String> files = new ArrayList<>();
        try {
            Path included = directory.resolve(name).normalize();
            try {
                for (Path child : place.list(included)) {
                    String file = child.getFileName().toString();
                    if (file.endsWith(".conf") && !file.startsWith(".")) {
                        files.add(child.toString());
                    }
                }
            } catch (IOException e) {
                place.reason(included, e)
                        .ifPresent(why -> unreadable.put(included.toString(), why));
            }
        } catch (InvalidPathException e) {
            unreadable.put(name, "no directory can have this name here");
        }
        files.forEach(file -> follow(file, directory, syntax, true));
    }
}
