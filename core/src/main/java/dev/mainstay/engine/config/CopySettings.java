package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.retention.CopyKeep;

import java.util.Optional;

/// An entry of the section `copies`.
///
/// @param repository where the copy is; all but the place is as for the repository itself
/// @param keep which backups it is to hold, if not all
/// @param maxRate bytes a second that are copied
public record CopySettings(
        String name,
        RepositorySettings repository,
        Optional<CopyKeep> keep,
        Optional<ByteSize> maxRate) {}
