package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.engine.backup.FoundBackup;
import dev.mainstay.repository.Ground;
import dev.mainstay.engine.Surroundings;
import dev.mainstay.server.confirm.Confirmation;
import dev.mainstay.server.confirm.Confirmations;
import dev.mainstay.server.confirm.Danger;
import dev.mainstay.server.confirm.Dangers;
import dev.mainstay.server.security.Caller;
import dev.mainstay.server.security.Grants;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;
import dev.mainstay.server.security.SourceGrant;
import dev.mainstay.server.view.RepositoryView;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// `/api/v1/confirmations`
@RestController
public final class ConfirmationsController {
    private final Confirmations confirmations;
    private final Dangers dangers;
    private final RepositoryView view;
    private final Ground ground;

    public ConfirmationsController(
            Confirmations confirmations,
            Dangers dangers,
            RepositoryView view,
            Surroundings surroundings) {
        this.confirmations = confirmations;
        this.dangers = dangers;
        this.view = view;
        this.ground = surroundings.ground();
    }

    /// What is going to be asked for.
    ///
    /// @param action expire (a source, or without target all of them), prune, release (a backup) or
    ///   restore (in place)
    /// @param target the source or backup
    /// @param restore the body of POST /api/v1/restores
    @Schema(name = "ConfirmationWanted")
    record Wanted(
            @Nullable String action,
            @Nullable String target,
            RestoresController.@Nullable Wanted restore) {}

    /// @param source null for the whole repository
    /// @param lost what would not be there any more
    /// @param state waiting (for a second person), good, used, refused or expired
    @Schema(name = "Confirmation")
    record View(
            String id,
            String action,
            String target,
            @Nullable String source,
            List<String> lost,
            String state,
            String askedBy,
            Instant asked,
            Instant expires,
            boolean secondPerson,
            @Nullable String approvedBy,
            @Nullable String refusedBy) {}

    /// @param token to be sent as Confirmation-Token; shown this once
    @Schema(name = "NewConfirmation")
    record New(View confirmation, String token) {}

    private View view(Confirmation each) {
        return new View(
                each.id(),
                each.action(),
                each.target(),
                each.source().isEmpty() ? null : each.source(),
                each.words(),
                each.state(ground.clock().instant()).name().toLowerCase(Locale.ROOT),
                each.askedBy(),
                each.created(),
                each.expires(),
                each.secondPerson(),
                each.approvedBy().orElse(null),
                each.refusedBy().orElse(null));
    }

    @PostMapping("/api/v1/confirmations")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @ResponseStatus(HttpStatus.CREATED)
    @Operation(
            summary =
                    "tells what a request would destroy; its token, shown this once, confirms that")
    New ask(@RequestBody Wanted wanted) {
        Confirmations.Issued issued =
                confirmations.ask(danger(wanted), Caller.current());
        return new New(view(issued.confirmation()), issued.token().reveal());
    }

    private Danger danger(Wanted wanted) {
        String target = Optional.ofNullable(wanted.target()).orElse("");
        return switch (Optional.ofNullable(wanted.action()).orElse("")) {
            case "expire" -> target.isEmpty() ? expireAll() : expire(target);
            case "prune" -> {
                Grants.demandWhole();
                yield dangers.plannedPrune();
            }
            case "release" -> {
                FoundBackup found = view.backup(target);
                Grants.demand(found.source().name());
                yield dangers.release(found);
            }
            case "restore" -> {
                Caller.current().demand(Role.ADMINISTRATOR);
                RestoresController.Wanted restore = restore(wanted);
                yield dangers.restore(
                        view.known(RestoresController.source(restore)), restore.parameters());
            }
            default ->
                    throw new MainstayException(
                            ErrorCode.USAGE_INVALID,
                            "action is none of expire, prune, release and restore");
        };
    }

    private Danger expireAll() {
        Grants.demandWhole();
        return dangers.expireAll();
    }

    private Danger expire(String source) {
        Grants.demand(source);
        return dangers.expire(source);
    }

    private static RestoresController.Wanted restore(Wanted wanted) {
        return Optional.ofNullable(wanted.restore())
                .filter(restore -> restore.inPlace() != null)
                .orElseThrow(
                        () ->
                                new MainstayException(
                                        ErrorCode.USAGE_INVALID,
                                        "restore is the body of POST /api/v1/restores, with"
                                                + " inPlace: another one needs no confirmation"));
    }

    @GetMapping("/api/v1/confirmations")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "what was asked leave for in the last days, the newest first")
    List<View> list() {
        return confirmations.list().stream()
                .filter(
                        each ->
                                each.source().isEmpty()
                                        ? Grants.sources().isEmpty()
                                        : Grants.allow(each.source()))
                .map(this::view)
                .toList();
    }

    @GetMapping("/api/v1/confirmations/{id}")
    @LeastRole(Role.VIEWER)
    @SourceGrant
    @Operation(summary = "what somebody asks leave for, and who agreed")
    View show(@PathVariable String id) {
        return view(granted(id));
    }

    private Confirmation granted(String id) {
        Confirmation found = confirmations.get(id);
        if (found.source().isEmpty()) {
            Grants.demandWhole();
        } else {
            Grants.demand(found.source());
        }
        return found;
    }

    @PostMapping("/api/v1/confirmations/{id}/approve")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @Operation(summary = "agrees, as another person than who asked and with the role it needs")
    View approve(@PathVariable String id) {
        granted(id);
        return view(confirmations.approve(id, Caller.current()));
    }

    @PostMapping("/api/v1/confirmations/{id}/refuse")
    @LeastRole(Role.OPERATOR)
    @SourceGrant
    @Operation(summary = "keeps a confirmation from being used")
    View refuse(@PathVariable String id) {
        granted(id);
        return view(confirmations.refuse(id, Caller.current()));
    }
}
