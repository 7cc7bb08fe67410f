package dev.mainstay.postgres.cluster;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
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

    private final Path dataDirectory;
    private final Path realDataDirectory;
    private final boolean includesInRules;
    private final Set<Path> followed = new HashSet<>();
    private final Set<Path> readable = new TreeSet<>();
    private final Map<String, String> unreadable = new TreeMap<>();

    ConfigurationIncludes(Path dataDirectory, boolean includesInRules) {
        this.dataDirectory = dataDirectory.toAbsolutePath().normalize();
        this.realDataDirectory = real(this.dataDirectory);
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
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                unreadable.put(file.toString(), "no regular file");
                return;
            }
            content = Files.readAllBytes(file);
        } catch (IOException e) {
            if (required || !(e instanceof NoSuchFileException)) {
                unreadable.put(file.toString(), reason(e));
            } else {
                followed.remove(file); // something else may require it
            }
            return;
        }
        if (!isInside(file)) {
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
            try (DirectoryStream<Path> children = Files.newDirectoryStream(included)) {
                for (Path child : children) {
                    String file = child.getFileName().toString();
                    if (file.endsWith(".conf")
                            && !file.startsWith(".")
                            && !Files.isDirectory(child)) {
                        files.add(child.toString());
                    }
                }
            } catch (DirectoryIteratorException e) {
                unreadable.put(included.toString(), String.valueOf(e.getMessage()));
            } catch (IOException e) {
                unreadable.put(included.toString(), reason(e));
            }
        } catch (InvalidPathException e) {
            unreadable.put(name, "no directory can have this name here");
        }
        files.forEach(file -> follow(file, directory, syntax, true));
    }

    private boolean isInside(Path file) {
        return file.startsWith(dataDirectory) || real(file).startsWith(realDataDirectory);
    }

    private static Path real(Path path) {
        try {
            return path.toRealPath();
        } catch (IOException unresolved) {
            return path;
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "does not exist";
            case AccessDeniedException _ -> "permission denied";
            case NotDirectoryException _ -> "no directory";
            default -> String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        };
    }
}
