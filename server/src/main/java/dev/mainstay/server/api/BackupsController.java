package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Danger;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.BackupRow;
import dev.mainstay.server.view.RepositoryView;
import dev.mainstay.server.view.SourcePicture;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// `/api/v1/sources/{source}/backups` and `/api/v1/backups`
@RestController
public final class BackupsController {
    private static final int LONGEST_REASON = 1000;

    private final RepositoryView view;
    private final Dangers dangers;
    private final Confirmations confirmations;

    public BackupsController(RepositoryView view, Dangers dangers, Confirmations confirmations) {
        this.view = view;
        this.dangers = dangers;
        this.confirmations = confirmations;
    }

    /// @param held why it is kept whatever a policy says
    @Schema(name = "BackupRow")
    record Row(
            String source,
            String backup,
            String type,
            String status,
            @Nullable Instant begin,
            @Nullable Instant end,
            long sizeBytes,
            long storedBytes,
            @Nullable String held) {
        static Row of(String source, BackupRow row) {
            return new Row(
                    source,
                    row.id().text(),
                    row.type(),
                    row.status(),
                    row.begin().orElse(null),
                    row.end().orElse(null),
                    row.bytes(),
                    row.bytesStored(),
                    row.held().orElse(null));
        }
    }

    /// @param next the cursor of the next page
    @Schema(name = "BackupPage")
    record Page(List<Row> backups, @Nullable String next, List<String> damaged) {}

    @Schema(name = "HoldWanted")
    record Wanted(@Nullable String reason) {}

    @GetMapping("/api/v1/sources/{source}/backups")
    @LeastRole(Role.VIEWER)
    @SourceGrant("source")
    @Operation(summary = "backups of a source, the newest first")
    ResponseEntity<Page> list(
            @PathVariable String source,
            @RequestParam Optional<String> cursor,
            @RequestParam(defaultValue = "100") int limit) {
        PageLimit.demand(limit);
        SourcePicture picture = view.source(source);
        List<BackupRow> backups = picture.backups();
        int from = cursor.map(id -> after(picture, id)).orElse(0);
        int to = Math.min(from + limit, backups.size());
        List<Row> rows =
                backups.subList(from, to).stream()
                        .map(row -> Row.of(source, row))
                        .toList();
        return ResponseEntity.ok()
                .eTag(picture.tag())
                .body(
                        new Page(
                                rows,
                                to < backups.size() ? rows.getLast().backup() : null,
                                picture.damaged()));
    }

    private static int after(SourcePicture picture, String id) {
        return FoundBackup.find(id)
                .flatMap(picture::indexOf)
                .map(index -> index + 1)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.USAGE_INVALID,
                                        "the cursor is of no backup that is there",
                                        "it was removed meanwhile, perhaps: begin anew",
                                        null));
    }

    @GetMapping("/api/v1/backups/{id}")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "everything about a backup")
    BackupView show(@PathVariable String id) {
        return BackupView.of(granted(id));
    }

    /// A backup that whoever asks may see.
    private FoundBackup granted(String id) {
        FoundBackup found = view.backup(id);
        Grants.demand(found.source().name());
        return found;
    }

    @PostMapping("/api/v1/backups/{id}/hold")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @Operation(summary = "keeps a backup from being removed until it is released")
    BackupView hold(@PathVariable String id, @RequestBody Wanted wanted) {
        String reason = Optional.ofNullable(wanted.reason()).orElse("").strip();
        if (reason.isEmpty() || reason.length() > LONGEST_REASON) {
            throw new MainstayException(
                    ErrorCode.USAGE_INVALID,
                    "reason says why the backup is held, in up to " + LONGEST_REASON + " letters");
        }
        FoundBackup found = granted(id);
        found.source().hold(found.backup().id(), reason);
        return changed(found);
    }

    @PostMapping("/api/v1/backups/{id}/release")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @Operation(summary = "ends all holds of a backup; has to be confirmed")
    BackupView release(
            @PathVariable String id,
            @RequestHeader("Confirmation-Token") Optional<String> confirmation) {
        FoundBackup found = granted(id);
        Danger danger = dangers.release(found);
        confirmations.admit(danger, confirmation, Caller.current()).run();
        found.source().release(found.backup().id(), Dangers.holds(danger));
        return changed(found);
    }

    private BackupView changed(FoundBackup found) {
        view.changed(found.source().name());
        return BackupView.of(FoundBackup.in(found.source(), found.backup().id()));
    }
}
