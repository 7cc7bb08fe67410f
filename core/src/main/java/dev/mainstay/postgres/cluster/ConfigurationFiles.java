package dev.mainstay.postgres.cluster;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The configuration of a running server that lies outside its data directory, as Debian keeps it:
/// `postgresql.conf`, `pg_hba.conf`, `pg_ident.conf` and everything they include. What lies inside
/// is part of every backup anyway and does not come.
///
/// The server is asked for what it knows, as far as the role may; only superusers see all of it. So
/// the includes are followed here as well, which also finds files that change no setting, and the
/// `@` lists of users and databases, of which the server tells nobody.
///
/// @param readable absolute, each once, sorted
/// @param unreadable sorted; a backup lacks them
public record ConfigurationFiles(List<Path> readable, List<Unreadable> unreadable) {
    /// @param path as the server or the including file names it, made absolute
    /// @param reason such as `permission denied`
    public record Unreadable(String path, String reason) {}

    public ConfigurationFiles {
        readable = List.copyOf(readable);
        unreadable = List.copyOf(unreadable);
    }

    /// Asks the server, and reads the files on this host.
    ///
    /// @param dataDirectory of this server, on this host
    /// @throws MainstayException SERVER_RIGHT_MISSING if the role may not read all settings;
    ///   BACKUP_SERVER_STOPPED, SERVER_QUERY_FAILED
    public static ConfigurationFiles read(Connection connection, Path dataDirectory) {
        return read(connection, new ConfigurationPlace.Here(dataDirectory));
    }

    static ConfigurationFiles read(Connection connection, ConfigurationPlace place) {
        try (Statement statement = connection.createStatement()) {
            ServerVersion version =
                    ServerVersion.ofServerVersionNum(
                            Integer.parseInt(
                                    BackupSession.value(statement, "SHOW server_version_num")));
            ConfigurationIncludes includes =
                    new ConfigurationIncludes(place, version.includesInHba());
            mainFiles(statement)
                    .forEach(
                            (name, path) ->
                                    includes.follow(
                                            path,
                                            name.equals("config_file")
                                                    ? ConfigurationIncludes.Syntax.SETTINGS
                                                    : ConfigurationIncludes.Syntax.RULES));
            ask(
                    statement,
                    includes,
                    ConfigurationIncludes.Syntax.SETTINGS,
                    "SELECT DISTINCT sourcefile FROM pg_catalog.pg_settings"
                            + " WHERE sourcefile IS NOT NULL");
            askIfAllowed(
                    connection,
                    includes,
                    ConfigurationIncludes.Syntax.SETTINGS,
                    "sourcefile",
                    "pg_show_all_file_settings()");
            if (version.includesInHba()) {
                for (String function : List.of("pg_hba_file_rules()", "pg_ident_file_mappings()")) {
                    askIfAllowed(
                            connection,
                            includes,
                            ConfigurationIncludes.Syntax.RULES,
                            "file_name",
                            function);
                }
            }
            return includes.result();
        } catch (SQLException e) {
            throw ServerFailure.of("ask for the configuration files", e);
        }
    }

    /// What a configuration file names, so that a server refuses to start where it does not exist.
    ///
    /// @param directories of `include_dir`, relative or absolute
    /// @param files of `include`
    public record Named(List<String> directories, List<String> files) {
        public Named {
            directories = List.copyOf(directories);
            files = List.copyOf(files);
        }
    }

    /// What the text of a `postgresql.conf`, or of a file that one includes, refers to.
    public static Named namedIn(String settings) {
        List<String> directories = new ArrayList<>();
        List<String> files = new ArrayList<>();
        for (ConfigurationText.Reference reference : ConfigurationText.settings(settings)) {
            if (reference.path().indexOf('\0') >= 0) {
                continue; // names no file
            }
            switch (reference.kind()) {
                case DIRECTORY -> directories.add(reference.path());
                case FILE -> files.add(reference.path());
                case FILE_IF_EXISTS -> {}
            }
        }
        return new Named(directories, files);
    }

    private static Map<String, String> mainFiles(Statement statement) throws SQLException {
        Map<String, String> files = new TreeMap<>();
        try (ResultSet row =
                statement.executeQuery(
                        "SELECT name, setting FROM pg_catalog.pg_settings"
                                + " WHERE name IN ('config_file', 'hba_file', 'ident_file')"
                                + " AND setting <> ''")) {
            while (row.next()) {
                files.put(row.getString(1), row.getString(2));
            }
        }
        if (!files.containsKey("config_file")) {
            throw new MainstayException(
                    ErrorCode.SERVER_RIGHT_MISSING,
                    "the role may not read the setting config_file");
        }
        return files;
    }

    private static void askIfAllowed(
            Connection connection,
            ConfigurationIncludes includes,
            ConfigurationIncludes.Syntax syntax,
            String column,
            String function)
            throws SQLException {
        if (ServerRights.mayExecute(connection, function)) {
            try (Statement statement = connection.createStatement()) {
                ask(
                        statement,
                        includes,
                        syntax,
                        "SELECT DISTINCT "
                                + column
                                + " FROM pg_catalog."
                                + function
                                + " WHERE "
                                + column
                                + " IS NOT NULL");
            }
        }
    }

    private static void ask(
            Statement statement,
            ConfigurationIncludes includes,
            ConfigurationIncludes.Syntax syntax,
            String query)
            throws SQLException {
        List<String> paths = new ArrayList<>();
        try (ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                paths.add(row.getString(1));
            }
        }
        paths.forEach(path -> includes.follow(path, syntax));
    }
}
