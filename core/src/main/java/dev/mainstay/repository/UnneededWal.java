package dev.mainstay.repository;

import java.util.Collection;

/// Tells a collector which WAL nothing needs: no backup whose slot is there to become consistent,
/// and no recovery window.
@FunctionalInterface
public interface UnneededWal {
    /// Nothing is known to be unneeded.
    UnneededWal NONE = _ -> WalStretches.none();

    /// Reads records and archives anew each time: what was committed before counts.
    ///
    /// @param sources all that are there
    /// @return segments that are there, whole or in part
    WalStretches find(Collection<ProtectedSource> sources);
}
