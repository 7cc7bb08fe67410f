package dev.mainstay.engine.recover;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.config.NearestName;
import dev.mainstay.postgres.cluster.CatalogEntry;
import dev.mainstay.postgres.cluster.CatalogLine;
import dev.mainstay.repository.BackupReader;
import dev.mainstay.repository.CommittedBackup;
import dev.mainstay.repository.ProtectedSource;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Looks a table up in the catalog that a backup brought along.
final class CatalogTables {
    private static final String TABLES = "rp";
    private static final String OTHERS = "vmfS";

    private CatalogTables() {}

    /// What a backup knows of a table.
    ///
    /// @param bytes an estimate
    record Found(long bytes) {}

    /// @return empty if there is no such table and nothing like it
    /// @throws MainstayException RECOVER_TABLE_UNKNOWN if it is something else, or naming the
    ///   nearest
    static Optional<Found> find(
            ProtectedSource source,
            CommittedBackup backup,
            long database,
            QualifiedName wanted,
            boolean createdLater) {
        Map<String, QualifiedName> names = new HashMap<>();
        Optional<?>[] found = {Optional.empty()};
        char[] kind = {' '};
        try (BackupReader reader = source.read(backup)) {
            reader.catalog(
                    lines ->
                            CatalogLine.parseAll(
                                    lines,
                                    entry -> {
                                        if (entry instanceof CatalogEntry.Relation relation
                                                && relation.databaseOid() == database
                                                && isShown(relation)) {
                                            QualifiedName name =
                                                    new QualifiedName(
                                                            relation.schema(), relation.name());
                                            if (name.equals(wanted)) {
                                                kind[0] = relation.kind();
                                                found[0] = Optional.of(new Found(relation.bytes()));
                                            } else if (TABLES.indexOf(relation.kind()) >= 0) {
                                                names.put(name.toString().replace('_', '-'), name);
                                            }
                                        }
                                    }));
        }
        if (OTHERS.indexOf(kind[0]) >= 0) {
            throw new MainstayException(
                    ErrorCode.RECOVER_TABLE_UNKNOWN,
                    wanted + " is no table, and only tables can be recovered");
        }
        if (found[0].isEmpty() && !createdLater) {
            throw new MainstayException(
                    ErrorCode.RECOVER_TABLE_UNKNOWN,
                    "backup "
                            + backup.id()
                            + " knows no table "
                            + wanted
                            + NearestName.of(wanted.toString(), names.keySet())
                                    .map(near -> "; did you mean " + names.get(near) + "?")
                                    .orElse(""),
                    "a table that was created after that backup is found with --created-later;"
                            + " write names as SQL does, with double quotes round what is not lower"
                            + " case",
                    null);
        }
        return found[0].map(Found.class::cast);
    }

    private static boolean isShown(CatalogEntry.Relation relation) {
        return (TABLES + OTHERS).indexOf(relation.kind()) >= 0
                && relation.persistence() != 't'
                && !relation.schema().equals("information_schema")
                && !relation.schema().startsWith("pg_");
    }
}
