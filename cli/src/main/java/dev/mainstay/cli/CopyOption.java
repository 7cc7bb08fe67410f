package dev.mainstay.cli;

import picocli.CommandLine.Option;

import java.util.Optional;

/// `--copy COPY`: what changes keys can do so in a copy.
final class CopyOption {
    @Option(
            names = "--copy",
            paramLabel = "COPY",
            description = "in this copy instead of the repository: each has its own keys/ objects")
    private Optional<String> copy = Optional.empty();

    void apply(Session session) {
        copy.ifPresent(session::useCopy);
    }
}
