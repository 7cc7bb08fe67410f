package dev.mainstay.server.operators;

import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.api.RestoresController;
import dev.mainstay.server.security.Everybody;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.security.Principal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Paths of family C: `/api/backup`, and `/health/backup`
@RestController
public final class FamilyC {
    private final BackupFigures figures;
    private final RestoresController restores;
    private final boolean details;

    FamilyC(BackupFigures figures, RestoresController restores, Surroundings surroundings) {
        this.figures = figures;
        this.restores = restores;
        this.details = surroundings.configuration().server().healthDetails();
    }

    @PostMapping("/api/backup/create")
    @LeastRole(Role.ADMINISTRATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "a backup of each source")
    List<BackupFigures.Started> create(Principal who) {
        return figures.backup("auto", who.getName());
    }

    @PostMapping("/api/backup/restore")
    @LeastRole(Role.ADMINISTRATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "what POST /api/v1/restores does, with the same body")
    Object restore(
            @RequestBody RestoresController.Wanted wanted,
            @RequestHeader("Idempotency-Key") Optional<String> key,
            @RequestHeader("Confirmation-Token") Optional<String> confirmation,
            Principal who) {
        return restores.start(wanted, key, confirmation, who);
    }

    @PostMapping("/api/backup/verify")
    @LeastRole(Role.ADMINISTRATOR)
    @ResponseStatus(HttpStatus.ACCEPTED)
    @Operation(summary = "verifies everything")
    List<BackupFigures.Started> verify(Principal who) {
        return figures.verify(who.getName());
    }

    @GetMapping("/api/backup/list")
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "every backup, the newest first")
    List<BackupFigures.Item> list() {
        return figures.all();
    }

    @GetMapping("/api/backup/stats")
    @LeastRole(Role.ADMINISTRATOR)
    @Operation(summary = "figures of backups")
    BackupStats stats() {
        return BackupStats.of(figures.figures());
    }

    /// 503 where there is no backup, or one failed in the last day.
    @GetMapping("/health/backup")
    @Everybody
    @Operation(summary = "whether backups are well; server.health-details: false leaves the status")
    ResponseEntity<Map<String, Object>> health() {
        BackupFigures.Figures now = figures.figures();
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("status", now.isUp() ? "ok" : "error");
        if (details) {
            Map<String, Object> backup = new LinkedHashMap<>();
            backup.put("status", now.isUp() ? "up" : "down");
            backup.put("totalBackups", now.total());
            now.newest()
                    .flatMap(BackupFigures.Item::completedAt)
                    .ifPresent(time -> backup.put("lastBackupTime", time));
            now.ageMinutes().ifPresent(age -> backup.put("lastBackupAge", age));
            backup.put("failedBackupsLast24h", now.failedLastDay());
            backup.put("totalSize", BackupFigures.size(now.stored()));
            answer.put("info", Map.of("backup", backup));
        }
        return ResponseEntity.status(
                        now.isUp() ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE)
                .body(answer);
    }
}
