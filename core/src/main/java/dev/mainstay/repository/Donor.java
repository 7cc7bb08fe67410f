package dev.mainstay.repository;

import dev.mainstay.storage.ObjectStore;

/// A copy of a repository, from which what is damaged can be had.
///
/// @param name as people call it
/// @param store closed by whoever opened it
public record Donor(String name, ObjectStore store) {}
