package dev.mainstay.server.api;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.engine.retention.SettledPrune;
import dev.mainstay.repository.AnnouncedBackup;
import dev.mainstay.repository.Prune;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import java.util.List;

/// `/api/v1/prune`
@RestController
public final class PruneController {
    private final RepositoryView view;
    private final Surroundings surroundings;

    public PruneController(RepositoryView view, Surroundings surroundings) {
        this.view = view;
        this.surroundings = surroundings;
    }

    @Schema(name = "PruneAmount")
    record Amount(long count, long sizeBytes) {
        static Amount of(Prune.Amount amount) {
            return new Amount(amount.count(), amount.size().bytes());
        }
    }

    /// @param source its name, or its id where its key is not there
    @Schema(name = "UnendedBackup")
    record Unended(String sourceId, String source, String backup) {
        static Unended of(AnnouncedBackup backup) {
            return new Unended(
                    backup.sourceId().hex(), backup.source(), backup.backup().text());
        }
    }

    /// @param waiting segments that running backups may come to need
    @Schema(name = "PrunedWal")
    record Wal(long segments, long sizeBytes, long waiting) {
        static Wal of(Prune.Wal wal) {
            return new Wal(wal.freed(), wal.size().bytes(), wal.waiting());
        }
    }

    /// @param later packs that the budget leaves for another run
    @Schema(name = "CompactedPacks")
    record Compacted(Amount packs, long writtenBytes, long later) {
        static Compacted of(Prune.Compacted compacted) {
            return new Compacted(
                    Amount.of(compacted.packs()),
                    compacted.written().bytes(),
                    compacted.later());
        }
    }

    /// @param removed packs that nothing refers to
    /// @param leftovers objects of backups that ended, which nothing needs
    /// @param waiting packs that running backups may come to refer to
    /// @param givenUp backups that began long ago and have not ended
    /// @param left packs that stay
    @Schema(name = "PrunePlan")
    record Plan(
            Amount removed,
            long leftovers,
            Amount waiting,
            List<Unended> running,
            List<Unended> givenUp,
            Amount left,
            Wal wal,
            Compacted compacted) {
        static Plan of(Prune.Report plan) {
            return new Plan(
                    Amount.of(plan.removed()),
                    plan.leftovers(),
                    Amount.of(plan.waiting()),
                    plan.running().stream().map(Unended::of).toList(),
                    plan.givenUp().stream().map(Unended::of).toList(),
                    Amount.of(plan.left()),
                    Wal.of(plan.wal()),
                    Compacted.of(plan.compacted()));
        }
    }

    /// Reads all manifests anew: not for everybody who only looks.
    @GetMapping("/api/v1/prune")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "what a prune would remove now; removes nothing")
    Plan plan() {
        return Plan.of(
                new SettledPrune(
                                surroundings.configuration(),
                                view.repository(),
                                surroundings.ground().clock().instant())
                        .plan());
    }
}
