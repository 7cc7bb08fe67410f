package dev.mainstay.cli;

import picocli.CommandLine.Option;

import java.util.Optional;

/// `--from COPY`: what only reads can work with a copy in the repository's place.
final class FromOption {
    @Option(
            names = "--from",
            paramLabel = "COPY",
            description = "use this copy instead of the repository (see 'mainstay copy')")
    private Optional<String> copy = Optional.empty();

    void apply(Session session) {
        copy.ifPresent(session::useCopy);
    }

    boolean isGiven() {
        return copy.isPresent();
    }
}
