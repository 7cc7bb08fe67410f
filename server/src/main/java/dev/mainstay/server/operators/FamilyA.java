package dev.mainstay.server.operators;

import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

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

/// Paths of family A: `/backup`
@RestController
public final class FamilyA {
    private final BackupFigures figures;

    FamilyA(BackupFigures figures) {
        this.figures = figures;
    }

    @GetMapping("/backup/status")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "how backups are")
    BackupStats status() {
        return BackupStats.of(figures.figures());
    }

    @GetMapping("/backup/history")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "every backup, the newest first")
    List<BackupFigures.Item> history() {
        return figures.all();
    }

    @PostMapping("/backup/full")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "a full backup of each source")
    List<BackupFigures.Started> full(Principal who) {
        return figures.backup("full", who.getName());
    }

    @PostMapping("/backup/incremental")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "an incremental backup of each source")
    List<BackupFigures.Started> incremental(Principal who) {
        return figures.backup("incremental", who.getName());
    }

    @PostMapping("/backup/verify/{id}")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "reads everything that restoring a backup needs")
    List<BackupFigures.Started> verify(@PathVariable String id, Principal who) {
        return figures.verify(id, who.getName());
    }

    @PostMapping("/backup/cleanup")
    @LeastRole(Role.OPERATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "removes of each source what its policy does not keep; has to be confirmed")
    List<BackupFigures.Started> cleanup(
            @RequestHeader("Confirmation-Token") Optional<String> confirmation) {
        return figures.expire(confirmation, Caller.current());
    }

    @GetMapping("/backup/disaster-recovery/status")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "501 until there is failover")
    ResponseEntity<ProblemDetail> recovery() {
        return NotYet.answer("failover");
    }

    @PostMapping({"/backup/disaster-recovery/test", "/backup/failover"})
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "501 until there is failover")
    ResponseEntity<ProblemDetail> failover() {
        return NotYet.answer("failover and rehearsals");
    }
}
