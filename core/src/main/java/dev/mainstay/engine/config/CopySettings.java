package dev.mainstay.engine.config;

import dev.mainstay.base.ByteSize;

import java.util.Optional;

/// An entry of the section `copies`.
///
/// @param repository where the copy is; all but the place is as for the repository itself
/// @param maxRate bytes a second that are copied
public record CopySettings(
        String name, RepositorySettings repository, Optional<ByteSize> maxRate) {}
