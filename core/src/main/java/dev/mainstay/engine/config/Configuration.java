package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.CompactionRule;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A configuration file that was understood completely.
///
/// @param origin the file, as people are told
/// @param copies by name, in the order of the file
/// @param sources by name, in the order of the file
/// @param warnings what is allowed but should be changed
public record Configuration(
        String origin,
        RepositorySettings repository,
        Map<String, CopySettings> copies,
        Map<String, SourceSettings> sources,
        VerifySettings verify,
        PruneSettings prune,
        ServerSettings server,
        List<ConfigurationWarning> warnings) {
    public Configuration {
        copies = Collections.unmodifiableMap(new LinkedHashMap<>(copies));
        sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
        warnings = List.copyOf(warnings);
    }

    /// @throws MainstayException `SOURCE_UNKNOWN`, naming the nearest source
    public SourceSettings source(String name) {
        return known(ErrorCode.SOURCE_UNKNOWN, "source", name, sources);
    }

    /// @throws MainstayException `USAGE_INVALID`, naming the nearest copy
    public CopySettings copy(String name) {
        return known(ErrorCode.USAGE_INVALID, "copy", name, copies);
    }

    /// Which packs of the repository are compacted.
    public CompactionRule compaction() {
        return prune.rule(repository.packSize());
    }

    /// The same with a copy in the repository's place.
    ///
    /// @throws MainstayException what [#copy] says
    public Configuration from(String copy) {
        return new Configuration(
                origin, copy(copy).repository(), copies, sources, verify, prune, server, warnings);
    }

    /// The same with the repository as it was.
    public Configuration asOf(Instant time) {
        return new Configuration(
                origin, repository.asOf(time), copies, sources, verify, prune, server, warnings);
    }

    private <T> T known(ErrorCode code, String what, String name, Map<String, T> entries) {
        T entry = entries.get(name);
        if (entry != null) {
            return entry;
        }
        String section = what.equals("copy") ? "copies" : "sources";
        String hint =
                entries.isEmpty()
                        ? "add it under '" + section + "' in " + origin
                        : "configured are: " + String.join(", ", entries.keySet());
        throw new MainstayException(
                code,
                "no "
                        + what
                        + " '"
                        + name
                        + "' in "
                        + origin
                        + NearestName.of(name, entries.keySet())
                                .map(near -> "; did you mean '" + near + "'?")
                                .orElse(""),
                hint,
                null);
    }
}
