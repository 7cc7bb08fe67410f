package dev.mainstay.postgres.cluster;

import dev.mainstay.postgres.cluster.ConfigurationFiles.Unreadable;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The configuration outside the data directory of a server on another host, read by the server's
/// own functions: the role has to be a member of `pg_read_server_files` and may have to be granted
/// EXECUTE on `pg_read_binary_file(text)` and `pg_ls_dir(text)`. Without these rights only the
/// names of files are known.
///
/// @param contents by path, absolute
/// @param unreadable a backup lacks them
public record ConfigurationOnServer(Map<Path, byte[]> contents, List<Unreadable> unreadable) {
    /// What an operator can do about files that are missing for want of rights.
    public static final String RIGHTS =
            "grant the role pg_read_server_files, and EXECUTE on pg_read_binary_file(text) and"
                    + " pg_ls_dir(text)";

    /// Asks the server.
    ///
    /// @throws dev.mainstay.base.MainstayException as [ConfigurationFiles#read]
    public static ConfigurationOnServer read(Connection connection) {
        try {
            Optional<String> directory = ServerSettings.read(connection).value("data_directory");
            Place place = new Place(connection, Path.of(directory.orElse("/")));
            ConfigurationFiles files = ConfigurationFiles.read(connection, place);
            Map<Path, byte[]> contents = new LinkedHashMap<>();
            files.readable().forEach(file -> contents.put(file, place.read.get(file)));
            return new ConfigurationOnServer(contents, files.unreadable());
        } catch (SQLException e) {
            throw ServerFailure.of("ask for the data directory", e);
        }
    }

    private static final class Place implements ConfigurationPlace {
        private final Connection connection;
        private final Path dataDirectory;
        private final Map<Path, byte[]> read = new LinkedHashMap<>();

        Place(Connection connection, Path dataDirectory) {
            this.connection = connection;
            this.dataDirectory = dataDirectory;
        }

        @Override
        public Path dataDirectory() {
            return dataDirectory;
        }

        @Override
        public boolean isInside(Path file) {
            return file.startsWith(dataDirectory);
        }

        @Override
        public byte[] read(Path file) throws IOException {
            try (PreparedStatement ask =
                    connection.prepareStatement("SELECT pg_catalog.pg_read_binary_file(?)")) {
                ask.setString(1, file.toString());
                try (ResultSet row = ask.executeQuery()) {
                    row.next();
                    byte[] content = row.getBytes(1);
                    if (content == null) {
                        throw new NoSuchFileException(file.toString());
                    }
                    read.put(file, content);
                    return content;
                }
            } catch (SQLException failed) {
                throw failure(file, failed);
            }
        }

        /// Directories in it are not told from files: they fail when they are read.
        @Override
        public List<Path> list(Path directory) throws IOException {
            List<Path> files = new ArrayList<>();
            try (PreparedStatement ask =
                    connection.prepareStatement("SELECT pg_catalog.pg_ls_dir(?) ORDER BY 1")) {
                ask.setString(1, directory.toString());
                try (ResultSet row = ask.executeQuery()) {
                    while (row.next()) {
                        files.add(directory.resolve(row.getString(1)));
                    }
                }
            } catch (SQLException failed) {
                throw failure(directory, failed);
            }
            return files;
        }

        private static IOException failure(Path file, SQLException failed) {
            String state = failed.getSQLState() == null ? "" : failed.getSQLState();
            IOException failure =
                    switch (state) {
                        case "58P01" -> new NoSuchFileException(file.toString());
                        case "42501" -> new AccessDeniedException(file.toString());
                        default -> {
                            if (state.startsWith("08") || state.startsWith("57P")) {
                                throw ServerFailure.of("read " + file, failed);
                            }
                            yield new IOException(failed.getMessage());
                        }
                    };
            failure.initCause(failed);
            return failure;
        }

        /// Files in the data directory are in the backup, whether the role may read them or not.
        @Override
        public Optional<String> reason(Path file, IOException e) {
            boolean denied = e instanceof AccessDeniedException;
            return denied && isInside(file)
                    ? Optional.empty()
                    : ConfigurationPlace.super.reason(file, e);
        }
    }
}
