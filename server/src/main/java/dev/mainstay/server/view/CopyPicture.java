package dev.mainstay.server.view;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.RepositoryAccess;
import dev.mainstay.engine.archive.CopyLag;
import dev.mainstay.engine.config.Configuration;
import dev.mainstay.engine.config.CopySettings;
import dev.mainstay.engine.retention.SubsetRule;
import dev.mainstay.repository.Amount;
import dev.mainstay.repository.CopySubset;
import dev.mainstay.repository.Ground;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCopy;
import dev.mainstay.storage.ObjectStore;
import dev.mainstay.storage.wrap.Throttle;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/// How a copy is.
///
/// @param missing what the repository has and the copy has not
/// @param lag what a restore from the copy alone would lack; empty if there is none to restore
/// @param failure why it cannot be told
public record CopyPicture(
        String name,
        String url,
        State state,
        Amount missing,
        Optional<Duration> lag,
        Optional<MainstayException> failure) {
    public enum State {
        COMPLETE,
        BEHIND,
        /// Nothing was copied there yet.
        ABSENT,
        UNREACHABLE;

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static CopyPicture of(
            Repository repository,
            Configuration configuration,
            CopySettings settings,
            Ground ground) {
        Instant now = ground.clock().instant();
        Optional<CopySubset> subset = SubsetRule.of(configuration, settings, now);
        try (ObjectStore store = RepositoryAccess.openExisting(settings.repository(), ground)) {
            boolean empty = store.list("", "", 1).objects().isEmpty();
            Amount missing =
                    RepositoryCopy.total(
                            new RepositoryCopy(
                                            repository,
                                            store,
                                            subset,
                                            Throttle.of(settings.maxRate()),
                                            1,
                                            _ -> {})
                                    .missing());
            return of(
                    settings,
                    empty
                            ? State.ABSENT
                            : missing.objects() == 0 ? State.COMPLETE : State.BEHIND,
                    missing,
                    CopyLag.of(repository, store, subset, now),
                    Optional.empty());
        } catch (MainstayException failed) {
            return of(
                    settings,
                    failed.code() == ErrorCode.REPOSITORY_MISSING
                            ? State.ABSENT
                            : State.UNREACHABLE,
                    Amount.NONE,
                    Optional.empty(),
                    Optional.of(failed));
        }
    }

    private static CopyPicture of(
            CopySettings settings,
            State state,
            Amount missing,
            Optional<Duration> lag,
            Optional<MainstayException> failure) {
        return new CopyPicture(
                settings.name(), settings.repository().url(), state, missing, lag, failure);
    }
}
