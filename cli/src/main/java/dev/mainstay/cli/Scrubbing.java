package dev.mainstay.cli;

import dev.mainstay.base.ByteSize;
import dev.mainstay.engine.config.VerifySettings;
import dev.mainstay.repository.Repository;
import dev.mainstay.repository.RepositoryCheck;
import dev.mainstay.repository.ScrubPosition;
import dev.mainstay.repository.ScrubShare;

import java.util.Optional;

/// `mainstay verify --scrub`: the next share of the repository's content.
final class Scrubbing {
    private final ScrubShare share;

    private Scrubbing(ScrubShare share) {
        this.share = share;
    }

    /// @param budget instead of the configuration's
    static Scrubbing next(Session session, Repository repository, Optional<ByteSize> budget) {
        VerifySettings settings = session.configuration().verify();
        return new Scrubbing(
                ScrubShare.of(
                        repository,
                        ScrubPosition.last(repository),
                        settings.every(),
                        budget.or(settings::budget).map(ByteSize::bytes)));
    }

    RepositoryCheck.Options options(RepositoryCheck.Options all) {
        return all.reading(share::takes);
    }

    /// Puts down how far it came, and says so.
    void end(Repository repository, Document document) {
        ScrubPosition end = share.end();
        end.put(repository);
        document.add("scrubbed", ByteSize.of(share.bytes()))
                .add("scrubbedOf", ByteSize.of(share.allBytes()))
                .add("roundBegan", end.begun())
                .add("everythingReadSince", end.before());
        if (share.lackingBytes() > 0) {
            document.add(
                    "warning",
                    "the budget is "
                            + ByteSize.of(share.lackingBytes())
                            + " less than what is due today, so a round takes longer than"
                            + " verify.every");
        }
    }
}
