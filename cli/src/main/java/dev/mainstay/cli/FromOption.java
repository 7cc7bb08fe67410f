package dev.mainstay.cli;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.restore.TargetTime;

import picocli.CommandLine.Option;

import java.util.Optional;

/// `--from COPY --as-of TIME`: what only reads can work with a copy in the repository's place, and
/// with either as it was.
final class FromOption {
    @Option(
            names = "--from",
            paramLabel = "COPY",
            description = "use this copy instead of the repository (see 'mainstay copy')")
    private Optional<String> copy = Optional.empty();

    @Option(
            names = "--as-of",
            paramLabel = "TIME",
            description =
                    "use it as it was then, whatever was deleted or overwritten since; where the"
                            + " bucket keeps versions (see docs/immutability.md)")
    private Optional<String> time = Optional.empty();

    void apply(Session session) {
        copy.ifPresent(session::useCopy);
        time.map(text -> TargetTime.parse("--as-of", text)).ifPresent(session::useTime);
    }

    boolean isGiven() {
        return copy.isPresent();
    }

    /// Whether a copy is given, or a time.
    boolean isAnyGiven() {
        return copy.isPresent() || time.isPresent();
    }

    /// For who takes from the copy, and does not use it in the repository's place.
    Optional<String> copy() {
        return copy;
    }

    /// For who cannot work on the past.
    ///
    /// @throws MainstayException USAGE_INVALID if a time is given
    void demandPresent(String what) {
        if (time.isPresent()) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    what + " and --as-of do not go together: the past is only read",
                    "'mainstay undelete --as-of TIME' brings back what was removed since",
                    null);
        }
    }
}
