package dev.mainstay.storage;

import java.util.Optional;

/// The locks of a store that has them ([StoreFacts#retentionLock]). What is locked is what an
/// object's name leads to: its content stays readable under that name's history even where somebody
/// deletes the name.
///
/// Failures are those of [ObjectStore]. Safe for use by many threads. Calls block.
public interface ObjectLocks {
    /// What new locks are like, by name; never shorter than what [#extend] is asked for.
    LockRule rule();

    /// The lock of an object; empty if it has none.
    ///
    /// @throws dev.mainstay.base.MainstayException STORE_OBJECT_MISSING
    Optional<RetentionLock> of(String name);

    /// Locks an object, or makes its lock last longer. No lock is ever shortened or loosened: one
    /// in compliance mode stays so.
    ///
    /// @throws dev.mainstay.base.MainstayException STORE_OBJECT_MISSING, or STORE_REFUSED where the
    ///   right is missing
    void extend(String name, RetentionLock lock);
}
