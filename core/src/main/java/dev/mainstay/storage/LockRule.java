package dev.mainstay.storage;

import java.util.Optional;

/// Which objects a store locks when they are put. The names' meaning is known to whoever makes the
/// rule.
@FunctionalInterface
public interface LockRule {
    /// The lock of an object that is put now; empty for one that is never locked.
    Optional<RetentionLock> of(String name);
}
