package dev.mainstay.server.alert;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.server.api.PageLimit;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

import java.security.Principal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// `/api/v1/alerts`
@RestController
public final class AlertsController {
    private final AlertTable table;
    private final AlertBook book;

    public AlertsController(AlertTable table, AlertBook book) {
        this.table = table;
        this.book = book;
    }

    /// @param meaning what it means for recovery
    /// @param todo what to do about it
    @Schema(name = "Alert")
    record View(
            String id,
            String rule,
            String subject,
            String severity,
            String state,
            String title,
            String reason,
            String meaning,
            String todo,
            Instant began,
            Instant seen,
            @Nullable Instant acknowledged,
            @Nullable String acknowledgedBy,
            @Nullable Instant resolved,
            @Nullable String resolvedBy,
            @Nullable Instant escalated) {
        static View of(Alert alert) {
            return new View(
                    alert.id(),
                    alert.rule(),
                    alert.subject(),
                    alert.severity().word(),
                    alert.state().word(),
                    alert.title(),
                    alert.reason(),
                    alert.meaning(),
                    alert.todo(),
                    alert.began(),
                    alert.seen(),
                    alert.acknowledged().orElse(null),
                    alert.acknowledgedBy().orElse(null),
                    alert.resolved().orElse(null),
                    alert.resolvedBy().orElse(null),
                    alert.escalated().orElse(null));
        }
    }

    /// @param next the cursor of the next page
    @Schema(name = "AlertPage")
    record Page(List<View> alerts, @Nullable String next) {}

    @GetMapping("/api/v1/alerts")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "what is or was wrong, the newest first")
    public Object list(
            @RequestParam Optional<String> state,
            @RequestParam Optional<String> cursor,
            @RequestParam(defaultValue = "100") int limit) {
        PageLimit.demand(limit);
        List<Alert> alerts = table.list(state.map(AlertsController::state), cursor, limit);
        return new Page(
                alerts.stream().map(View::of).toList(),
                alerts.size() < limit ? null : alerts.getLast().id());
    }

    private static AlertState state(String word) {
        for (AlertState state : AlertState.values()) {
            if (state.word().equals(word)) {
                return state;
            }
        }
        throw new MainstayException(
                ErrorCode.USAGE_INVALID, "'" + word + "' is no state of an alert");
    }

    @GetMapping("/api/v1/alerts/{id}")
    @LeastRole(Role.VIEWER)
    @Operation(summary = "an alert: why, what it means for recovery, what to do")
    View show(@PathVariable String id) {
        return View.of(table.get(id));
    }

    @PostMapping("/api/v1/alerts/{id}/acknowledge")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "says that somebody looks after it: nobody else is called")
    public Object acknowledge(@PathVariable String id, Principal who) {
        return View.of(book.acknowledge(id, who.getName()));
    }

    @PostMapping("/api/v1/alerts/{id}/resolve")
    @LeastRole(Role.OPERATOR)
    @Operation(summary = "says that it is over; it comes back if it happens again")
    public Object resolve(@PathVariable String id, Principal who) {
        return View.of(book.resolve(id, who.getName()));
    }
}
