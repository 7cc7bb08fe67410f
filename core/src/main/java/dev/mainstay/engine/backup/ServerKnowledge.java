package dev.mainstay.engine.backup;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.postgres.cluster.CatalogEntry;
import dev.mainstay.postgres.cluster.CatalogLine;
import dev.mainstay.postgres.cluster.CatalogSnapshot;
import dev.mainstay.postgres.cluster.ClusterFile;
import dev.mainstay.postgres.cluster.ConfigurationFiles;
import dev.mainstay.postgres.cluster.ControlFile;
import dev.mainstay.postgres.cluster.RelationFile;
import dev.mainstay.postgres.protocol.ConnectionSpec;
import dev.mainstay.postgres.protocol.SqlSession;
import dev.mainstay.repository.BackupWriter;
import dev.mainstay.repository.FileFacts;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/// What only the server can tell a backup: why a relation's file is gone, its version, its catalogs
/// and where its configuration is.
final class ServerKnowledge {
    private static final int CATALOG_PART = 256 << 10;

    /// OID of `pg_class`, and the number of its file until it is rewritten.
    private static final long PG_CLASS = 1259;

    private final ConnectionSpec connection;

    ServerKnowledge(ConnectionSpec connection) {
        this.connection = connection;
    }

    /// What a backup records of its server besides files.
    ///
    /// @param versionNum as `server_version_num`
    /// @param configuration files outside the data directory that were stored
    /// @param movedPgClass file by database OID, where it is not the one that initdb gives it
    record Described(
            int versionNum,
            String version,
            List<String> configuration,
            Map<Long, Long> movedPgClass) {
        BackupDetails.Server server(ControlFile control) {
            return new BackupDetails.Server(
                    versionNum, version, control.catalogVersion(), control.controlVersion());
        }
    }

    /// Asks the server, and stores configuration files and the catalog snapshot.
    Described describe(BackupWriter writer, Path dataDirectory, BackupFindings findings) {
        return describe(writer, sql -> storeConfiguration(sql, writer, dataDirectory, findings));
    }

    /// The same, with another way to the configuration.
    ///
    /// @param configuration stores it, and tells which files
    Described describe(BackupWriter writer, Function<Connection, List<String>> configuration) {
        try (Connection sql = SqlSession.openSql(connection, ClusterBackup.APPLICATION);
                Statement statement = sql.createStatement();
                ResultSet row =
                        statement.executeQuery(
                                "SELECT current_setting('server_version_num')::int,"
                                        + " current_setting('server_version')")) {
            row.next();
            return new Described(
                    row.getInt(1),
                    row.getString(2),
                    configuration.apply(sql),
                    storeCatalog(sql, writer));
        } catch (SQLException failed) {
            throw SqlSession.failure("describing the server", failed);
        }
    }

    /// Stores configuration that lies outside the data directory, under its absolute path. What
    /// cannot be read becomes a warning.
    ///
    /// @return the paths stored
    private static List<String> storeConfiguration(
            Connection sql, BackupWriter writer, Path dataDirectory, BackupFindings findings) {
        List<String> stored = new ArrayList<>();
        try {
            ConfigurationFiles files = ConfigurationFiles.read(sql, dataDirectory);
            files.unreadable()
                    .forEach(
                            file ->
                                    findings.warning(
                                            "configuration file "
                                                    + file.path()
                                                    + " is not in this backup: "
                                                    + file.reason()));
            for (Path file : files.readable()) {
                byte[] content = Files.readAllBytes(file);
                PosixFileAttributes facts = Files.readAttributes(file, PosixFileAttributes.class);
                writer.file(
                        new FileFacts(
                                file.toString(),
                                mode(facts),
                                facts.owner().getName(),
                                facts.group().getName(),
                                facts.lastModifiedTime().to(TimeUnit.MICROSECONDS)),
                        new ByteArrayInputStream(content));
                stored.add(file.toString());
            }
        } catch (IOException failed) {
            throw new MainstayException(
                    ErrorCode.BACKUP_FILE_UNREADABLE,
                    "cannot read the configuration: " + failed,
                    failed);
        }
        return stored;
    }

    private static int mode(PosixFileAttributes facts) {
        int mode = 0;
        for (char right : PosixFilePermissions.toString(facts.permissions()).toCharArray()) {
            mode = mode << 1 | (right == '-' ? 0 : 1);
        }
        return mode;
    }

    /// Stores what the catalogs say of every database, in parts of whole lines.
    ///
    /// @return where `pg_class` has moved to
    private Map<Long, Long> storeCatalog(Connection sql, BackupWriter writer) {
        Map<Long, Long> moved = new TreeMap<>();
        ByteArrayOutputStream part = new ByteArrayOutputStream();
        CatalogSnapshot.read(
                sql,
                database ->
                        SqlSession.openSql(
                                connection.withDatabase(database), ClusterBackup.APPLICATION),
                entry -> {
                    if (entry instanceof CatalogEntry.Relation relation
                            && relation.oid() == PG_CLASS
                            && relation.relfilenode() != PG_CLASS) {
                        moved.put(relation.databaseOid(), relation.relfilenode());
                    }
                    part.writeBytes(CatalogLine.write(entry));
                    if (part.size() > CATALOG_PART) {
                        writer.catalog(part.toByteArray());
                        part.reset();
                    }
                });
        if (part.size() > 0) {
            writer.catalog(part.toByteArray());
        }
        return moved;
    }

    static String group(Path file) throws IOException {
        PosixFileAttributeView view =
                Files.getFileAttributeView(file, PosixFileAttributeView.class);
        return view == null ? "" : view.readAttributes().group().getName();
    }

    /// A relation's file may be gone only if the relation was dropped, rewritten or truncated
    /// meanwhile.
    ///
    /// @throws MainstayException BACKUP_FILE_VANISHED where the catalog still needs the file
    void explainVanished(List<ClusterFile> vanished, Path dataDirectory) {
        Map<Long, List<ClusterFile>> byDatabase = new LinkedHashMap<>();
        for (ClusterFile file : vanished) {
            RelationFile relation = file.relation().orElseThrow();
            boolean firstSegmentStays =
                    relation.segment() > 0
                            && Files.exists(firstSegment(dataDirectory, file.path()));
            if (!firstSegmentStays) {
                byDatabase
                        .computeIfAbsent(relation.databaseOid(), _ -> new ArrayList<>())
                        .add(file);
            }
        }
        byDatabase.forEach(this::requireDropped);
    }

    private static Path firstSegment(Path dataDirectory, String path) {
        return dataDirectory.resolve(path.substring(0, path.lastIndexOf('.')));
    }

    private void requireDropped(long databaseOid, List<ClusterFile> files) {
        Optional<String> database = databaseName(databaseOid);
        while (database.isPresent()) {
            try {
                requireDropped(
                        databaseOid == 0 ? connection : connection.withDatabase(database.get()),
                        files);
                return;
            } catch (MainstayException failed) {
                Optional<String> now = databaseName(databaseOid);
                if (now.equals(database)) {
                    throw failed;
                }
                database = now; // renamed, or dropped after it was named
            }
        }
    }

    private static void requireDropped(ConnectionSpec there, List<ClusterFile> files) {
        try (Connection sql = SqlSession.openSql(there, ClusterBackup.APPLICATION);
                PreparedStatement find =
                        sql.prepareStatement("SELECT pg_filenode_relation(?::oid, ?::oid)::text")) {
            for (ClusterFile file : files) {
                RelationFile relation = file.relation().orElseThrow();
                find.setLong(
                        1,
                        relation.tablespaceOid() == RelationFile.DEFAULT_TABLESPACE
                                ? 0
                                : relation.tablespaceOid());
                find.setLong(2, relation.relfilenode());
                try (ResultSet row = find.executeQuery()) {
                    if (row.next() && row.getString(1) != null) {
                        throw new MainstayException(
                                ErrorCode.BACKUP_FILE_VANISHED,
                                "file "
                                        + file.path()
                                        + " of relation "
                                        + row.getString(1)
                                        + " vanished though the relation exists");
                    }
                }
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for relations of vanished files", failed);
        }
    }

    private Optional<String> databaseName(long oid) {
        if (oid == 0) {
            return Optional.of(connection.database());
        }
        try (Connection sql = SqlSession.openSql(connection, ClusterBackup.APPLICATION);
                PreparedStatement find =
                        sql.prepareStatement(
                                "SELECT datname FROM pg_database WHERE oid = ?::oid")) {
            find.setLong(1, oid);
            try (ResultSet row = find.executeQuery()) {
                return row.next() ? Optional.of(row.getString(1)) : Optional.empty();
            }
        } catch (SQLException failed) {
            throw SqlSession.failure("asking for a database's name", failed);
        }
    }
}
