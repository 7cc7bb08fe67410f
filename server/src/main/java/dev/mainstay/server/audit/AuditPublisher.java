package dev.mainstay.server.audit;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.repository.AuditArchive;
import dev.mainstay.repository.AuditEntry;
import dev.mainstay.repository.AuditPublication;
import dev.mainstay.repository.AuditState;
import dev.mainstay.repository.Repository;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Puts what is new of the audit trail into the repository, under a signed head. Several servers
/// may do so at once: what they put agrees.
public final class AuditPublisher {
    private static final Logger LOG = LoggerFactory.getLogger(AuditPublisher.class);

    /// What says that a key was sealed for another repository, or is damaged.
    private static final Set<ErrorCode> FOREIGN =
            Set.of(
                    ErrorCode.KEY_WRONG,
                    ErrorCode.KEY_MISSING,
                    ErrorCode.SEAL_BROKEN,
                    ErrorCode.OBJECT_DAMAGED);

    private final Surroundings surroundings;
    private final AuditTrail trail;

    public AuditPublisher(Surroundings surroundings, AuditTrail trail) {
        this.surroundings = surroundings;
        this.trail = trail;
    }

    /// Publishes everything that is on record now.
    ///
    /// @throws MainstayException what the repository says; nothing is lost
    public synchronized void publish() {
        AuditTrail.Head head = trail.head();
        if (head.published() == head.number() && head.signingKey().isPresent()) {
            return;
        }
        try (Repository repository = surroundings.open()) {
            AuditArchive archive = new AuditArchive(repository);
            Optional<AuditPublication> newest = newest(archive, head);
            if (newest.isEmpty()) { // of the trail that was begun instead, at the next attempt
                return;
            }
            AuditPublication last = newest.get();
            String key = trail.head().signingKey().orElseThrow();
            while (last.last() < head.number()) {
                List<AuditEntry> fresh =
                        trail
                                .entries(
                                        head.trail(),
                                        last.last() + 1,
                                        Math.min(
                                                head.number(),
                                                last.last() + AuditArchive.MOST_ENTRIES))
                                .stream()
                                .map(AuditState.Kept::entry)
                                .toList();
                if (fresh.isEmpty()) {
                    throw new MainstayException(
                            ErrorCode.AUDIT_BROKEN,
                            "entries of the audit trail behind "
                                    + last.last()
                                    + " are gone from the state");
                }
                last = archive.publish(last, key, fresh);
                trail.published(head.trail(), last.last());
            }
        }
    }

    /// The newest head of the state's trail in the repository. Empty if the state has to begin
    /// another trail, and did.
    private Optional<AuditPublication> newest(AuditArchive archive, AuditTrail.Head head) {
        if (head.signingKey().isEmpty()) {
            trail.keepKey(head.trail(), archive.newKey(head.trail()));
        }
        String key = trail.head().signingKey().orElse("");
        Optional<AuditPublication> newest;
        try {
            newest = archive.newest(head.trail(), head.published());
            if (newest.isEmpty() && head.published() > 0) {
                newest = archive.newest(head.trail(), 0);
            }
            archive.demandKey(head.trail(), key);
        } catch (MainstayException broken) {
            if (!FOREIGN.contains(broken.code())) {
                throw broken;
            }
            return anew(head, broken.code().id() + ": the key that signs it does not open");
        }
        long last = newest.map(AuditPublication::last).orElse(0L);
        if (last < head.published()) {
            LOG.error(
                    "[{}] heads of the audit trail up to entry {} are gone from the repository",
                    ErrorCode.AUDIT_BROKEN.id(),
                    head.published());
            trail.append(
                    trail.server(),
                    "",
                    "audit heads are gone from the repository",
                    "entries " + (last + 1) + " to " + head.published(),
                    "published again");
            trail.published(head.trail(), last);
        }
        if (newest.isPresent() && last > 0 && !isOurs(head, newest.get())) {
            return anew(head, "the state was set back: entry " + last + " was published");
        }
        return newest.or(() -> Optional.of(archive.begin(head.trail(), key)));
    }

    private boolean isOurs(AuditTrail.Head head, AuditPublication newest) {
        return trail.entries(head.trail(), newest.last(), newest.last()).stream()
                .anyMatch(each -> each.hash().equals(newest.head()));
    }

    private Optional<AuditPublication> anew(AuditTrail.Head head, String why) {
        LOG.error(
                "[{}] the audit trail {} ends, another one begins: {}",
                ErrorCode.AUDIT_BROKEN.id(),
                head.trail(),
                why);
        trail.beginAnew(head, why);
        return Optional.empty();
    }
}
