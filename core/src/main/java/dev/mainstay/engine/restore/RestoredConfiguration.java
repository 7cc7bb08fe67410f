package dev.mainstay.engine.restore;

import dev.mainstay.base.ShellWord;
import dev.mainstay.postgres.cluster.ConfigurationFiles;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Configuration that was outside the data directory, as Debian keeps it, after a restore: where it
/// is now and what a server has to be told to find it.
public final class RestoredConfiguration {
    private static final Map<String, String> SETTINGS =
            Map.of(
                    "postgresql.conf", "config_file",
                    "pg_hba.conf", "hba_file",
                    "pg_ident.conf", "ident_file");

    private final RestorePlan plan;
    private final Path directory;

    public RestoredConfiguration(RestorePlan plan) {
        this.plan = plan;
        this.directory = plan.request().directory();
    }

    /// Where a file is, if it was restored: beside the data, else where it was.
    private Optional<Path> place(String file) {
        Path beside = directory.resolve(Places.EXTERNAL + file);
        if (Files.exists(beside, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.of(beside);
        }
        Path original = Path.of(file);
        return plan.request().originalExternals() && Files.exists(original)
                ? Optional.of(original)
                : Optional.empty();
    }

    /// What a server has to be told on its command line; empty if it finds everything by itself. Of
    /// several files of a name the one nearest to the root is the main one.
    public Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        plan.details().externalFiles().stream()
                .sorted(
                        Comparator.comparingInt((String file) -> Path.of(file).getNameCount())
                                .thenComparing(Comparator.naturalOrder()))
                .forEach(
                        file -> {
                            String setting =
                                    SETTINGS.get(String.valueOf(Path.of(file).getFileName()));
                            if (setting != null && isNeeded(setting)) {
                                place(file)
                                        .ifPresent(
                                                path ->
                                                        settings.putIfAbsent(
                                                                setting, path.toString()));
                            }
                        });
        if (settings.containsKey("config_file")) {
            settings.put("data_directory", directory.toString());
            settings.put("external_pid_file", "");
        }
        return settings;
    }

    /// What is to be done after a restore, with the options of the program.
    public String toStart() {
        StringBuilder command = new StringBuilder("start the server on ");
        command.append(directory);
        options(command);
        return command.toString();
    }

    /// Appends the options that tell a server what it does not find by itself.
    public void options(StringBuilder command) {
        settings()
                .forEach(
                        (name, value) ->
                                command.append(" -c ").append(ShellWord.quote(name + "=" + value)));
    }

    /// A server with its main file in the data directory uses that.
    private boolean isNeeded(String setting) {
        return !setting.equals("config_file")
                || !Files.exists(directory.resolve("postgresql.conf"), LinkOption.NOFOLLOW_LINKS);
    }

    /// What nobody but an operator can decide. By absolute path a file includes others that were
    /// restored elsewhere, if at all. Of two main files a server uses the one in its directory,
    /// which may not be the one that the source used.
    public List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (!isNeeded("config_file")) {
            plan.details().externalFiles().stream()
                    .filter(file -> file.endsWith("/postgresql.conf"))
                    .flatMap(file -> place(file).stream())
                    .forEach(
                            place ->
                                    notes.add(
                                            "postgresql.conf of the data directory is used, "
                                                    + place
                                                    + " only if the former includes it; else start"
                                                    + " with config_file set to the latter"));
        }
        forEachBeside(
                (file, named) -> {
                    for (List<String> kind : List.of(named.directories(), named.files())) {
                        kind.stream()
                                .filter(path -> path.startsWith("/"))
                                .forEach(
                                        path ->
                                                notes.add(
                                                        file
                                                                + " includes "
                                                                + path
                                                                + " by its absolute path"));
                    }
                });
        return notes;
    }

    /// Makes directories that configuration files include and that were empty, such as Debian's
    /// `conf.d`: without them no server starts. Only beside the files that this restore wrote.
    ///
    /// @param originals files that went back to where they were
    /// @return what was made outside the data directory
    List<Path> makeIncludedDirectories(List<Path> originals) {
        List<Path> made = new ArrayList<>();
        Path external = directory.resolve(Places.EXTERNAL);
        forEachBeside((file, named) -> make(file, external, named, new ArrayList<>()));
        for (Path file : originals) {
            Path parent = file.getParent();
            if (parent != null) {
                read(file, (_, named) -> make(file, parent, named, made));
            }
        }
        return made;
    }

    private static void make(
            Path file, Path below, ConfigurationFiles.Named named, List<Path> made) {
        for (String name : named.directories()) {
            Path included = file.resolveSibling(name).normalize();
            if (included.startsWith(below) && !Files.exists(included, LinkOption.NOFOLLOW_LINKS)) {
                RestoreFiles.attempt(
                        "create " + included, () -> RestoreFiles.directories(included));
                made.add(included);
            }
        }
    }

    @FunctionalInterface
    private interface Visitor {
        void visit(Path file, ConfigurationFiles.Named named);
    }

    private void forEachBeside(Visitor visitor) {
        for (String file : plan.details().externalFiles()) {
            read(directory.resolve(Places.EXTERNAL + file), visitor);
        }
    }

    private static void read(Path file, Visitor visitor) {
        if (file.toString().endsWith(".conf")
                && Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            RestoreFiles.attempt(
                    "read " + file,
                    () -> visitor.visit(file, ConfigurationFiles.namedIn(text(file))));
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8); // also if it is none
    }
}
