package dev.mainstay.engine.config;

import java.time.Duration;
import java.util.List;

/// The section `restore` of a source: commands of the operator's around every restore of it.
///
/// @param before run before anything is changed; if one fails nothing is
/// @param after run when the restore is complete
/// @param timeout how long each may take
public record RestoreSettings(List<String> before, List<String> after, Duration timeout) {
    public static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(10);

    public RestoreSettings {
        before = List.copyOf(before);
        after = List.copyOf(after);
    }

    /// No commands.
    public static RestoreSettings none() {
        return new RestoreSettings(List.of(), List.of(), DEFAULT_TIMEOUT);
    }
}
