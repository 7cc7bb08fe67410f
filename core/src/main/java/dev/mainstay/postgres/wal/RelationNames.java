package dev.mainstay.postgres.wal;

import java.util.Optional;

/// Names of relations, from whoever knows them: a catalog snapshot does.
@FunctionalInterface
public interface RelationNames {
    /// Nobody knows a name.
    RelationNames NONE = _ -> Optional.empty();

    /// The qualified name of the relation that had this file, as far back as it is known.
    Optional<String> nameOf(RelationFile file);
}
