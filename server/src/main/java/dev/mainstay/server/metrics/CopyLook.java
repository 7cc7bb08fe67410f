package dev.mainstay.server.metrics;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.CopyLag;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.CopySettings;
import dev.mainstay.engine.retention.SubsetRule;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Listing;
import dev.mainstay.repository.Repository;
import dev.mainstay.storage.ObjectStore;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// Looks how far a copy is.
final class CopyLook {
    private static final Duration COUNT = Duration.ofHours(1);

    private final CopySettings settings;
    private final Ground ground;
    private Optional<Long> bytes = Optional.empty();
    private Instant countedAt = Instant.EPOCH;

    CopyLook(CopySettings settings, Ground ground) {
        this.settings = settings;
        this.ground = ground;
    }

    /// A copy that cannot be reached is a finding, not a failure. Nothing is made there: a disk that
    /// is not mounted must not become a folder.
    CopyFacts look(Repository repository, Configuration configuration, Instant now) {
        try (ObjectStore store = RepositoryAccess.openExisting(settings.repository(), ground)) {
            Optional<Duration> lag = CopyLag.of(
                            repository, store, SubsetRule.of(configuration, settings, now), now);
            boolean nothing = bytes.orElse(0L) == 0;
            if (nothing || !now.isBefore(countedAt.plus(COUNT))) {
                bytes = Optional.of(count(store));
                countedAt = now;
            }
            return new CopyFacts(settings.name(), now, Optional.empty(), lag, bytes);
        } catch (MainstayException failed) {
            if (failed.code() == ErrorCode.REPOSITORY_MISSING) {
                return new CopyFacts(
                        settings.name(), now, Optional.empty(), Optional.empty(), Optional.of(0L));
            }
            return new CopyFacts(
                    settings.name(),
                    now,
                    Optional.of(failed.code().id() + ": " + failed.getMessage()),
                    Optional.empty(),
                    bytes);
        }
    }

    private static long count(ObjectStore store) {
        AtomicLong sum = new AtomicLong();
        Listing.forEach(store, "", each -> sum.addAndGet(each.sizeBytes()));
        return sum.get();
    }
}
