package dev.mainstay.server.metrics;

import java.util.Optional;

/// What is known of a source.
///
/// @param archive what the repository has of it
/// @param cluster what its server says
public record SourceFacts(
        String name, Optional<ArchiveFacts> archive, Optional<ClusterFacts> cluster) {}
