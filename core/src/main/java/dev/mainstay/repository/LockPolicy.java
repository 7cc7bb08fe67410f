package dev.mainstay.repository;

import dev.mainstay.storage.LockRule;
import dev.mainstay.storage.remote.PlaceLock;

import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/// Which objects of a repository may be locked against removal, in one place.
///
/// What backups are made of is locked when it is put, and what servers say they did. Never locked
/// are source keys, so that a source can be shredded; parts of unfinished WAL segments,
/// announcements, progress and what collectors write, which are removed as soon as they are of no
/// use; and names that no version of the format knows.
public final class LockPolicy {
    private static final List<String> LOCKED =
            List.of(
                    Names.ROOT_KEYS,
                    Names.EPOCHS,
                    Names.SHREDDED,
                    Names.PACKS,
                    Names.SLOTS,
                    Names.RECORDS,
                    Names.INDEXES,
                    Names.MOVED,
                    Names.AUDIT,
                    Names.WAL,
                    Names.SUMMARIES);

    private LockPolicy() {}

    /// Whether an object of this name is locked.
    static boolean covers(String name) {
        return StoreSurvey.isName(name)
                && (name.equals(Names.FORMAT) || LOCKED.stream().anyMatch(name::startsWith));
    }

    /// Locks what may be locked, as a place wants it.
    public static LockRule rule(PlaceLock lock, InstantSource clock) {
        return name -> covers(name) ? Optional.of(lock.at(clock.instant())) : Optional.empty();
    }
}
