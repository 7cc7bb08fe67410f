package dev.mainstay.engine.config;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A configuration file that was understood completely.
///
/// @param origin the file, as people are told
/// @param sources by name, in the order of the file
/// @param warnings what is allowed but should be changed
public record Configuration(
        String origin,
        RepositorySettings repository,
        Map<String, SourceSettings> sources,
        List<ConfigurationWarning> warnings) {
    public Configuration {
        sources = Collections.unmodifiableMap(new LinkedHashMap<>(sources));
        warnings = List.copyOf(warnings);
    }

    /// @throws MainstayException `SOURCE_UNKNOWN`, naming the nearest source
    public SourceSettings source(String name) {
        SourceSettings source = sources.get(name);
        if (source != null) {
            return source;
        }
        String hint =
                sources.isEmpty()
                        ? "add it under 'sources' in " + origin
                        : "configured are: " + String.join(", ", sources.keySet());
        throw new MainstayException(
                ErrorCode.SOURCE_UNKNOWN,
                "no source '"
                        + name
                        + "' in "
                        + origin
                        + NearestName.of(name, sources.keySet())
                                .map(near -> "; did you mean '" + near + "'?")
                                .orElse(""),
                hint,
                null);
    }
}
