package dev.mainstay.engine.proof;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.config.VerifySettings;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.ScrubPosition;
import dev.mainstay.repository.ScrubShare;

import java.util.Optional;

/// A verification that reads, beside all metadata, the next share of the repository's content.
public final class Scrubbing {
    private final ScrubShare share;

    private Scrubbing(ScrubShare share) {
        this.share = share;
    }

    /// From where the last one stopped.
    ///
    /// @param budget instead of the settings' own
    public static Scrubbing next(
            Repository repository, VerifySettings settings, Optional<ByteSize> budget) {
        return new Scrubbing(
                ScrubShare.of(
                        repository,
                        ScrubPosition.last(repository),
                        settings.every(),
                        budget.or(settings::budget).map(ByteSize::bytes)));
    }

    public RepositoryCheck.Options options(RepositoryCheck.Options all) {
        return all.reading(share::takes);
    }

    /// Puts down how far it came, once it was read, whatever was found.
    public ScrubPosition end(Repository repository) {
        ScrubPosition end = share.end();
        end.put(repository);
        return end;
    }

    public ByteSize read() {
        return ByteSize.of(share.bytes());
    }

    /// What a round through everything reads.
    public ByteSize everything() {
        return ByteSize.of(share.allBytes());
    }

    /// What the budget left out of what is due, in words.
    public Optional<String> warning() {
        return share.lackingBytes() == 0
                ? Optional.empty()
                : Optional.of(
                        "the budget is "
                                + ByteSize.of(share.lackingBytes())
                                + " less than what is due today, so a round takes longer than"
                                + " verify.every");
    }
}
