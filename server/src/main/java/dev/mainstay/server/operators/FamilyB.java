package dev.mainstay.server.operators;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.retention.ExpiryPlan;
import dev.mainstay.server.alert.AlertsController;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.security.Principal;
import java.util.List;
import java.util.Optional;

/// Paths of family B: `/v1/backup-recovery`
@RestController
public final class FamilyB {
    private static final String ROOT = "/v1/backup-recovery";

    private final BackupFigures figures;
    private final RepositoryView view;
    private final AlertsController alerts;

    FamilyB(BackupFigures figures, RepositoryView view, AlertsController alerts) {
        this.figures = figures;
        this.view = view;
        this.alerts = alerts;
    }

    /// @param kept backups that the policy keeps
    /// @param leaving backups that it does not
    record Lifecycle(String source, String policy, long kept, long leaving) {
        static Lifecycle of(ExpiryPlan plan) {
            long leaving = plan.removed().size();
            return new Lifecycle(
                    plan.source(),
                    plan.policy().toString(),
                    plan.decisions().size() - leaving,
                    leaving);
        }
    }

    record Overview(BackupStats backups, List<BackupFigures.Item> recentBackups, Object activeAlerts) {}

    @PostMapping(ROOT + "/database/backup/full")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "a full backup of each source")
    List<BackupFigures.Started> full(Principal who) {
        return figures.backup("full", who.getName());
    }

    @PostMapping(ROOT + "/database/backup/incremental")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "an incremental backup of each source")
    List<BackupFigures.Started> incremental(Principal who) {
        return figures.backup("incremental", who.getName());
    }

    @GetMapping(ROOT + "/database/backups")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "every backup, the newest first")
    List<BackupFigures.Item> backups() {
        return figures.all();
    }

    @GetMapping(ROOT + "/database/backups/{id}")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "a backup")
    BackupFigures.Item backup(@PathVariable String id) {
        String known = view.backup(id).backup().id().text();
        return figures.all().stream()
                .filter(each -> each.id().equals(known))
                .findFirst()
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.BACKUP_UNKNOWN, "there is no backup " + known));
    }

    @GetMapping(ROOT + "/database/statistics")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "figures of backups")
    BackupStats statistics() {
        return BackupStats.of(figures.figures());
    }

    @GetMapping({
        ROOT + "/documents/backups",
        ROOT + "/documents/statistics",
        ROOT + "/disaster-recovery/plans",
        ROOT + "/disaster-recovery/status"
    })
    @LeastRole(Role.VIEWER)
    @Operation(summary = "501 until there are backups of files, and failover")
    ResponseEntity<ProblemDetail> notYet() {
        return NotYet.answer("backups of files, and no failover");
    }

    @PostMapping({
        ROOT + "/documents/backup",
        ROOT + "/disaster-recovery/plans",
        ROOT + "/disaster-recovery/failover"
    })
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "501 until there are backups of files, and failover")
    ResponseEntity<ProblemDetail> notYetDone() {
        return NotYet.answer("backups of files, and no failover");
    }

    @PostMapping(ROOT + "/documents/backups/{id}/verify")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "501 until there are backups of files")
    ResponseEntity<ProblemDetail> documents(@PathVariable String id) {
        return NotYet.answer("backups of files");
    }

    @PostMapping(ROOT + "/disaster-recovery/test/{planId}")
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "501 until there are rehearsals")
    ResponseEntity<ProblemDetail> test(@PathVariable String planId) {
        return NotYet.answer("rehearsals");
    }

    @GetMapping(ROOT + "/monitoring/alerts")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "alerts that are firing, the newest first")
    Object alerts() {
        return alerts.list(Optional.of("firing"), Optional.empty(), 100);
    }

    @PostMapping(ROOT + "/monitoring/alerts/{id}/acknowledge")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "says that somebody looks after an alert")
    Object acknowledge(@PathVariable String id, Principal who) {
        return alerts.acknowledge(id, who);
    }

    @PostMapping(ROOT + "/monitoring/alerts/{id}/resolve")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "says that an alert is over")
    Object resolve(@PathVariable String id, Principal who) {
        return alerts.resolve(id, who);
    }

    @GetMapping(ROOT + "/monitoring/dashboard")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "how everything is")
    Overview dashboard() {
        return new Overview(
                BackupStats.of(figures.figures()),
                figures.all().stream().limit(10).toList(),
                alerts.list(Optional.of("firing"), Optional.empty(), 100));
    }

    @PostMapping(ROOT + "/verification/verify-all")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "verifies everything")
    List<BackupFigures.Started> verifyAll(Principal who) {
        return figures.verify(who.getName());
    }

    @PostMapping(ROOT + "/verification/verify/{id}")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "reads everything that restoring a backup needs")
    List<BackupFigures.Started> verify(@PathVariable String id, Principal who) {
        return figures.verify(id, who.getName());
    }

    @GetMapping(ROOT + "/retention/lifecycle-stats")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "what the policies keep")
    List<Lifecycle> lifecycle() {
        return view.sources(_ -> true).stream()
                .filter(source -> source.newest().isPresent())
                .map(source -> Lifecycle.of(view.plan(source.name())))
                .toList();
    }

    @PostMapping(ROOT + "/retention/enforce-policies")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "removes of each source what its policy does not keep; has to be confirmed")
    List<BackupFigures.Started> enforce(
            @RequestHeader("Confirmation-Token") Optional<String> confirmation) {
        return figures.expire(confirmation, Caller.current());
    }
}
