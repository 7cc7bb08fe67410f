package dev.mainstay.server.api;

import dev.mainstay.base.ErrorCode;
import dev.mainstay.base.MainstayException;
import dev.mainstay.repository.AuditFacts;
import dev.mainstay.server.audit.AuditTrail;
import dev.mainstay.server.security.LeastRole;
import dev.mainstay.server.security.Role;

import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;

import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// `/api/v1/audit`
@RestController
public final class AuditController {
    private static final Instant EARLIEST = Instant.parse("1970-01-01T00:00:00Z");
    private static final Instant LATEST = Instant.parse("9999-01-01T00:00:00Z");

    private final AuditTrail trail;

    public AuditController(AuditTrail trail) {
        this.trail = trail;
    }

    /// @param times how many requests it stands for
    @Schema(name = "AuditEntry")
    record View(
            long position,
            Instant at,
            String server,
            String who,
            String address,
            String action,
            String target,
            String outcome,
            long times,
            String trail,
            long number,
            String hash) {
        static View of(AuditTrail.Placed placed) {
            AuditFacts facts = placed.entry().facts();
            return new View(
                    placed.position(),
                    facts.at(),
                    facts.server(),
                    facts.who(),
                    facts.address(),
                    facts.action(),
                    facts.target(),
                    facts.outcome(),
                    facts.times(),
                    placed.entry().trail(),
                    placed.entry().number(),
                    placed.hash());
        }
    }

    /// @param next the cursor of the next page
    @Schema(name = "AuditPage")
    record Page(List<View> entries, @Nullable Long next) {}

    /// The newest first.
    @GetMapping("/api/v1/audit")
    @LeastRole(Role.AUDITOR)
    @Operation(summary = "what was done and refused, by whom, with what outcome; the newest first")
    Page list(
            @RequestParam Optional<String> who,
            @RequestParam Optional<String> action,
            @RequestParam Optional<String> outcome,
            @RequestParam Optional<String> address,
            @RequestParam Optional<Instant> from,
            @RequestParam Optional<Instant> until,
            @RequestParam Optional<Long> cursor,
            @RequestParam(defaultValue = "100") int limit) {
        PageLimit.demand(limit);
        List.of(who, action, outcome, address).forEach(each -> each.ifPresent(AuditController::demand));
        from.ifPresent(AuditController::demand);
        until.ifPresent(AuditController::demand);
        List<View> entries =
                trail
                        .list(
                                new AuditTrail.Filter(
                                        who.orElse(""),
                                        action.orElse(""),
                                        outcome.orElse(""),
                                        address.orElse(""),
                                        from,
                                        until),
                                cursor.orElse(Long.MAX_VALUE),
                                limit)
                        .stream()
                        .map(View::of)
                        .toList();
        return new Page(entries, entries.size() < limit ? null : entries.getLast().position());
    }

    /// What no database takes is in none of its rows.
    private static void demand(String text) {
        if (text.codePoints().anyMatch(Character::isISOControl)) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, "no entry has such a text");
        }
    }

    private static void demand(Instant time) {
        if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
            throw new MainstayException(ErrorCode.USAGE_INVALID, "no entry is of such a time");
        }
    }
}
