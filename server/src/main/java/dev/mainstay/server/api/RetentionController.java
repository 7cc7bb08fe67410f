package dev.mainstay.server.api;

import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.engine.retention.RetentionDecision;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;

/// `/api/v1/sources/{source}/retention`
@RestController
public final class RetentionController {
    private final RepositoryView view;

    public RetentionController(RepositoryView view) {
        this.view = view;
    }

    /// @param decision `stays` or `goes`
    /// @param why each thing that keeps it, or why nothing does
    @Schema(name = "RetentionDecision")
    record Decision(
            String backup, String type, Instant ended, String decision, List<String> why) {
        static Decision of(RetentionDecision each) {
            return new Decision(
                    each.backup().id().text(),
                    each.backup().incremental() ? "incremental" : "full",
                    each.backup().end(),
                    each.keep() ? "stays" : "goes",
                    each.reasons());
        }
    }

    /// WAL that nothing needs then, and that prune frees.
    @Schema(name = "FreedWal")
    record Freed(long timeline, long segments, long sizeBytes, String first, String last) {
        static Freed of(ExpiryPlan.FreedWal each) {
            return new Freed(
                    Integer.toUnsignedLong(each.timeline().value()),
                    each.segments(),
                    each.bytes(),
                    each.first(),
                    each.last());
        }
    }

    /// @param before what can be recovered as things are
    /// @param after what can be recovered once what goes is gone
    /// @param strange backups of which nobody knows what cluster they are of: they stay
    @Schema(name = "Retention")
    record Plan(
            String policy,
            List<Decision> backups,
            List<RecoveryController.Window> before,
            List<RecoveryController.Window> after,
            List<Freed> walFreedByPrune,
            List<String> strange,
            List<String> damaged) {}

    @GetMapping("/api/v1/sources/{source}/retention")
    @LeastRole(Role.VIEWER)
    @SourceGrant("source")
    @Operation(summary = "the policy of a source, and what an expiry would do now and why")
    Plan plan(@PathVariable String source) {
        ExpiryPlan plan = view.plan(source);
        return new Plan(
                plan.policy().toString(),
                plan.decisions().stream().map(Decision::of).toList(),
                plan.before().stream().map(RecoveryController.Window::of).toList(),
                plan.after().stream().map(RecoveryController.Window::of).toList(),
                plan.freed().stream().map(Freed::of).toList(),
                plan.strange().stream().map(id -> id.text()).toList(),
                plan.damaged());
    }
}
